// A step of 2^20 + 4 words of main memory in 20 bits.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, 2 : i32) : !aie.objectfifo<memref<8xi32>>
    aie.runtime_sequence(%x: memref<2000000xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 2, 4][0, 0, 1048580, 1]) {metadata = @a, id = 0 : i64} : memref<2000000xi32>
    }
  }
}
