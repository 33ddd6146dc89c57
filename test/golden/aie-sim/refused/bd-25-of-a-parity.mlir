// Channels 0 and 2 of a memory tile share 24 descriptors.
module {
  aie.device(npu1) {
    %s0 = aie.tile(0, 0)
    %s1 = aie.tile(1, 0)
    %m = aie.tile(0, 1)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s0, {%m}, 20 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @b(%s0, {%m}, 20 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @c(%s1, {%m}, 5 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
