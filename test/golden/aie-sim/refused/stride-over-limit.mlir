// A step of 9,000 words in 13 bits.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @o(%c dimensionsToStream [<size = 2, stride = 9000>, <size = 100, stride = 1>], {%s}, 1 : i32) : !aie.objectfifo<memref<200xi32>>
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
