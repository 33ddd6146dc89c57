// An input of two links.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %m = aie.tile(0, 1)
    %c = aie.tile(0, 2)
    %d = aie.tile(0, 3)
    aie.objectfifo @a(%s, {%m}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @b(%m, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @c(%m, {%d}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo.link [@a] -> [@b] ([] [])
    aie.objectfifo.link [@a] -> [@c] ([] [])
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
