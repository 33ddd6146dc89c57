// A maximum over f32 lanes does not map onto the vector unit.
module {
  aie.device(npu1) {
    %c = aie.tile(0, 2)
    %core = aie.core(%c) {
      %a = arith.constant dense<1.0> : vector<16xf32>
      %x = vector.reduction <maximumf>, %a : vector<16xf32> into f32
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
