// A buffer placed by hand where the stack is.
module {
  aie.device(npu1) {
    %c = aie.tile(0, 2)
    %b = aie.buffer(%c) {sym_name = "table", address = 512 : i32} : memref<16xi32>
    %core = aie.core(%c) {
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
