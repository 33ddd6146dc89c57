// Two cores touch a buffer, and nothing orders them.
module {
  aie.device(npu1) {
    %c = aie.tile(0, 2)
    %d = aie.tile(0, 3)
    %b = aie.buffer(%c) {sym_name = "shared"} : memref<4xi32> = dense<0>
    %writer = aie.core(%c) {
      %c0 = arith.constant 0 : index
      %v = arith.constant 7 : i32
      memref.store %v, %b[%c0] : memref<4xi32>
      aie.end
    }
    %reader = aie.core(%d) {
      %c0 = arith.constant 0 : index
      %v = memref.load %b[%c0] : memref<4xi32>
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
