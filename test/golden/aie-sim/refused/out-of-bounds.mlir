// The last step of the loop leaves the element.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, 1 : i32) : !aie.objectfifo<memref<40xi32>>
    %core = aie.core(%c) {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %c40 = arith.constant 40 : index
      %z = arith.constant 0 : i32
      %v = aie.objectfifo.acquire @a(Consume, 1) : !aie.objectfifosubview<memref<40xi32>>
      %a = aie.objectfifo.subview.access %v[0] : !aie.objectfifosubview<memref<40xi32>> -> memref<40xi32>
      scf.for %i = %c0 to %c40 step %c16 {
        %x = vector.transfer_read %a[%i], %z {in_bounds = [true]} : memref<40xi32>, vector<16xi32>
      }
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 40][0, 0, 0, 1]) {metadata = @a, id = 0 : i64} : memref<64xi32>
    }
  }
}
