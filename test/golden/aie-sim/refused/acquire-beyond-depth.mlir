// Upstream silently grows the FIFO.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    %core = aie.core(%c) {
      %v = aie.objectfifo.acquire @a(Consume, 3) : !aie.objectfifosubview<memref<4xi32>>
      aie.objectfifo.release @a(Consume, 3)
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
