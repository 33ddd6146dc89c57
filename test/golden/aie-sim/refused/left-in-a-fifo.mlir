// Two elements are sent, the core takes one: the next run would begin with the other.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    %core = aie.core(%c) {
      %v = aie.objectfifo.acquire @a(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
      aie.objectfifo.release @a(Consume, 1)
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 8][0, 0, 0, 1]) {metadata = @a, id = 0 : i64} : memref<64xi32>
    }
  }
}
