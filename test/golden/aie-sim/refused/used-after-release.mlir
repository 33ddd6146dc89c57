// The DMA may already write the next element there.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
    %core = aie.core(%c) {
      %c0 = arith.constant 0 : index
      %v = aie.objectfifo.acquire @a(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
      %a = aie.objectfifo.subview.access %v[0] : !aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>
      aie.objectfifo.release @a(Consume, 1)
      %x = memref.load %a[%c0] : memref<4xi32>
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 0 : i64} : memref<64xi32>
    }
  }
}
