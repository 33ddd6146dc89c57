// A local array of 2 KB on a stack of 1 KB.
module {
  aie.device(npu1) {
    %c = aie.tile(0, 2)
    %core = aie.core(%c) {
      %m = memref.alloca() : memref<512xi32>
      aie.end
    } {stack_size = 1024 : i32}
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
