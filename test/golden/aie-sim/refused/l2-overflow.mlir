// Three elements of 200,000 bytes do not fit a memory tile.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %m = aie.tile(0, 1)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%m}, 3 : i32) : !aie.objectfifo<memref<50000xi32>>
    aie.objectfifo @b(%m, {%c}, 1 : i32) : !aie.objectfifo<memref<50xi32>>
    aie.objectfifo.link [@a] -> [@b] ([] [])
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
