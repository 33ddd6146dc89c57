// A channel of the shim holds four tasks behind the one that it runs.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %m = aie.tile(0, 1)
    aie.objectfifo @a(%s, {%m}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @o(%m, {%s}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo.link [@a] -> [@o] ([] [])
    aie.runtime_sequence(%x: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 0 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 4][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 1 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 8][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 2 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 12][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 3 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 16][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 4 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 20][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 5 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 24][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 6 : i64} : memref<64xi32>
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 28][1, 1, 1, 4][0, 0, 0, 1]) {metadata = @a, id = 7 : i64} : memref<64xi32>
    }
  }
}
