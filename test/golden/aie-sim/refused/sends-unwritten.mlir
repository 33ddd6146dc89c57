// Half of an element is written, all of it is sent.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @o(%c, {%s}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
    %core = aie.core(%c) {
      %c0 = arith.constant 0 : index
      %z = arith.constant dense<1> : vector<2xi32>
      %v = aie.objectfifo.acquire @o(Produce, 1) : !aie.objectfifosubview<memref<4xi32>>
      %o = aie.objectfifo.subview.access %v[0] : !aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>
      vector.store %z, %o[%c0] : memref<4xi32>, vector<2xi32>
      aie.objectfifo.release @o(Produce, 1)
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @o, id = 0 : i64, issue_token = true} : memref<64xi32>
      aiex.npu.dma_wait {symbol = @o}
    }
  }
}
