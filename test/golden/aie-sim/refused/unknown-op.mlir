// A dialect that is not of the subset.
module {
  aie.device(npu1) {
    %c = aie.tile(0, 2)
    %core = aie.core(%c) {
      %t = arith.constant 3.0 : f32
      %x = math.sinh %t : f32
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
