// A compute tile's DMA counts to 255 in an inner dimension.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @o(%c dimensionsToStream [<size = 2, stride = 1>, <size = 300, stride = 2>], {%s}, 2 : i32) : !aie.objectfifo<memref<600xi32>>
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
