// Memory holds anything until it is written.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    %acc = aie.buffer(%c) {sym_name = "acc"} : memref<8xi32>
    %core = aie.core(%c) {
      %c0 = arith.constant 0 : index
      %c5 = arith.constant 5 : index
      %v = arith.constant 7 : i32
      memref.store %v, %acc[%c0] : memref<8xi32>
      %x = memref.load %acc[%c5] : memref<8xi32>
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
