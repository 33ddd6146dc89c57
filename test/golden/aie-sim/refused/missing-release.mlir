// A core that keeps its input: the sequence waits for a result that never comes.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @o(%c, {%s}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
    %core = aie.core(%c) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c4 = arith.constant 4 : index
      scf.for %i = %c0 to %c2 step %c1 {
        %va = aie.objectfifo.acquire @a(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
        %a = aie.objectfifo.subview.access %va[0] : !aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>
        %vo = aie.objectfifo.acquire @o(Produce, 1) : !aie.objectfifosubview<memref<4xi32>>
        %o = aie.objectfifo.subview.access %vo[0] : !aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>
        scf.for %j = %c0 to %c4 step %c1 {
          %x = memref.load %a[%j] : memref<4xi32>
          memref.store %x, %o[%j] : memref<4xi32>
        }
        aie.objectfifo.release @a(Consume, 1)
      }
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 8][0, 0, 0, 1]) {metadata = @a, id = 0 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 8][1, 1, 1, 8][0, 0, 0, 1]) {metadata = @o, id = 1 : i64, issue_token = true} : memref<64xi32>
      aiex.npu.dma_wait {symbol = @o}
    }
  }
}
