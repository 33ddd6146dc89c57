// Nothing will ever answer this wait.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %m = aie.tile(0, 1)
    aie.objectfifo @a(%s, {%m}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @o(%m, {%s}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo.link [@a] -> [@o] ([] [])
    aie.runtime_sequence(%x: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 0 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 4][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @o, id = 1 : i64} : memref<64xi32>
      aiex.npu.dma_wait {symbol = @a}
    }
  }
}
