// The producer wants a second element of @x before it gives @y; the consumer wants @y first.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %p = aie.tile(0, 2)
    %c = aie.tile(0, 3)
    aie.objectfifo @x(%p, {%c}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @y(%p, {%c}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @o(%c, {%s}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
    %producer = aie.core(%p) {
      %x0 = aie.objectfifo.acquire @x(Produce, 1) : !aie.objectfifosubview<memref<4xi32>>
      aie.objectfifo.release @x(Produce, 1)
      %x1 = aie.objectfifo.acquire @x(Produce, 1) : !aie.objectfifosubview<memref<4xi32>>
      aie.objectfifo.release @x(Produce, 1)
      %y = aie.objectfifo.acquire @y(Produce, 1) : !aie.objectfifosubview<memref<4xi32>>
      aie.objectfifo.release @y(Produce, 1)
      aie.end
    }
    %consumer = aie.core(%c) {
      %y = aie.objectfifo.acquire @y(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
      %x = aie.objectfifo.acquire @x(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @o, id = 0 : i64, issue_token = true} : memref<64xi32>
      aiex.npu.dma_wait {symbol = @o}
    }
  }
}
