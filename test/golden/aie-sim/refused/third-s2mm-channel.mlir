// A core that reads three streams.
module {
  aie.device(npu1) {
    %s0 = aie.tile(0, 0)
    %s1 = aie.tile(1, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s0, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @b(%s0, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @c(%s1, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
