// Only memory tiles link.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    %d = aie.tile(0, 4)
    aie.objectfifo @a(%s, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @b(%c, {%d}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo.link [@a] -> [@b] ([] [])
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
