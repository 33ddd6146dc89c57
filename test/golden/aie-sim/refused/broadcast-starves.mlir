// The slow consumer waits for the fast one, which needs what the slow one does not take.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %fast = aie.tile(0, 2)
    %slow = aie.tile(1, 4)
    aie.objectfifo @a(%s, {%fast, %slow}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @b(%fast, {%slow}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @o(%slow, {%s}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
    %one = aie.core(%fast) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      scf.for %i = %c0 to %c4 step %c1 {
        %v = aie.objectfifo.acquire @a(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
        aie.objectfifo.release @a(Consume, 1)
      }
      %b = aie.objectfifo.acquire @b(Produce, 1) : !aie.objectfifosubview<memref<4xi32>>
      aie.objectfifo.release @b(Produce, 1)
      aie.end
    }
    %two = aie.core(%slow) {
      %b = aie.objectfifo.acquire @b(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
      %v = aie.objectfifo.acquire @a(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 16][0, 0, 0, 1]) {metadata = @a, id = 0 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 16][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @o, id = 1 : i64, issue_token = true} : memref<64xi32>
      aiex.npu.dma_wait {symbol = @o}
    }
  }
}
