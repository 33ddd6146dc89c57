// Upstream unrolls this loop 7 x 5 x 3 times.
module {
  aie.device(npu1) {
    %s0 = aie.tile(0, 0)
    %s1 = aie.tile(1, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s0, {%c}, [1, 7]) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo @b(%s0, {%c}, [1, 5]) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo @o(%c, {%s1}, [3, 1]) : !aie.objectfifo<memref<64xi32>>
    %core = aie.core(%c) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c16 = arith.constant 16 : index
      %n = arith.constant 1000 : index
      %z = arith.constant 0 : i32
      scf.for %i = %c0 to %n step %c1 {
        %va = aie.objectfifo.acquire @a(Consume, 1) : !aie.objectfifosubview<memref<64xi32>>
        %ma = aie.objectfifo.subview.access %va[0] : !aie.objectfifosubview<memref<64xi32>> -> memref<64xi32>
        %vb = aie.objectfifo.acquire @b(Consume, 1) : !aie.objectfifosubview<memref<64xi32>>
        %mb = aie.objectfifo.subview.access %vb[0] : !aie.objectfifosubview<memref<64xi32>> -> memref<64xi32>
        %vo = aie.objectfifo.acquire @o(Produce, 1) : !aie.objectfifosubview<memref<64xi32>>
        %mo = aie.objectfifo.subview.access %vo[0] : !aie.objectfifosubview<memref<64xi32>> -> memref<64xi32>
        scf.for %j = %c0 to %c16 step %c16 {
          %x = vector.transfer_read %ma[%j], %z {in_bounds = [true]} : memref<64xi32>, vector<16xi32>
          %y = vector.transfer_read %mb[%j], %z {in_bounds = [true]} : memref<64xi32>, vector<16xi32>
          %p = arith.addi %x, %y : vector<16xi32>
          vector.transfer_write %p, %mo[%j] {in_bounds = [true]} : vector<16xi32>, memref<64xi32>
        }
        aie.objectfifo.release @a(Consume, 1)
        aie.objectfifo.release @b(Consume, 1)
        aie.objectfifo.release @o(Produce, 1)
      }
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
