// The shim's patterns are those of the runtime sequence.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s dimensionsToStream [<size = 2, stride = 2>, <size = 2, stride = 1>], {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
