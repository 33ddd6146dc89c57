// The matrix unit multiplies bf16 as 4 x 8 by 8 x 4.
module {
  aie.device(npu1) {
    %c = aie.tile(0, 2)
    %core = aie.core(%c) {
      %a = arith.constant dense<1.0> : vector<8x8xbf16>
      %d = arith.constant dense<0.0> : vector<8x8xf32>
      %x = vector.contract {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %a, %a, %d : vector<8x8xbf16>, vector<8x8xbf16> into vector<8x8xf32>
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
