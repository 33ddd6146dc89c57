// 4 heads over 2 of keys, 1 queries, 64 places of a cache, size 32
// own: every core has heads of its own, 1 columns x 2 rows, 1 rounds
// tiles of 4 rows of queries x 16 keys per core, panels of 16; all places are read, tiles that are masked are not computed
// core memory 6752 bytes, memory tile 9216 bytes
// rows of queries 2 are padded to 16
#left = affine_map<(m, n, k) -> (m, k)>
#right = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
module {
  aie.device(npu1) {
    %shim_0 = aie.tile(0, 0)
    %mem_0 = aie.tile(0, 1)
    %core_0_2 = aie.tile(0, 2)
    %core_0_3 = aie.tile(0, 3)

    aie.objectfifo @qk_in_0(%shim_0, {%mem_0}, 2 : i32) : !aie.objectfifo<memref<1024xbf16>>  // queries, then panels of keys, turned
    aie.objectfifo @qk_0_0(%mem_0 dimensionsToStream [<size = 4, stride = 4>, <size = 4, stride = 128>, <size = 8, stride = 16>, <size = 4, stride = 1>], {%core_0_2}, 2 : i32) : !aie.objectfifo<memref<16x8x4xbf16>>  // the part of core 0 in blocks
    aie.objectfifo @qk_0_1(%mem_0 dimensionsToStream [<size = 4, stride = 4>, <size = 4, stride = 128>, <size = 8, stride = 16>, <size = 4, stride = 1>], {%core_0_3}, 2 : i32) : !aie.objectfifo<memref<16x8x4xbf16>>  // the part of core 1 in blocks
    aie.objectfifo @v_in_0(%shim_0, {%mem_0}, 2 : i32) : !aie.objectfifo<memref<1024xbf16>>  // the position, then tiles of values
    aie.objectfifo @v_0_0(%mem_0 dimensionsToStream [<size = 2, stride = 256>, <size = 8, stride = 4>, <size = 8, stride = 32>, <size = 4, stride = 1>], {%core_0_2}, 2 : i32) : !aie.objectfifo<memref<16x8x4xbf16>>  // the part of core 0 in blocks
    aie.objectfifo @v_0_1(%mem_0 dimensionsToStream [<size = 2, stride = 256>, <size = 8, stride = 4>, <size = 8, stride = 32>, <size = 4, stride = 1>], {%core_0_3}, 2 : i32) : !aie.objectfifo<memref<16x8x4xbf16>>  // the part of core 1 in blocks
    aie.objectfifo @o_0_0(%core_0_2, {%mem_0}, 1 : i32) : !aie.objectfifo<memref<4x4x8xbf16>>  // a tile of the result
    aie.objectfifo @o_0_1(%core_0_3, {%mem_0}, 1 : i32) : !aie.objectfifo<memref<4x4x8xbf16>>  // a tile of the result
    aie.objectfifo @o_out_0(%mem_0 dimensionsToStream [<size = 1, stride = 128>, <size = 4, stride = 8>, <size = 4, stride = 32>, <size = 8, stride = 1>], {%shim_0}, 2 : i32) : !aie.objectfifo<memref<256xbf16>>  // results in rows
    aie.objectfifo.link [@qk_in_0] -> [@qk_0_0, @qk_0_1] ([] [0, 512])
    aie.objectfifo.link [@v_in_0] -> [@v_0_0, @v_0_1] ([] [0, 512])
    aie.objectfifo.link [@o_0_0, @o_0_1] -> [@o_out_0] ([0, 128] [])
    %query_0_2 = aie.buffer(%core_0_2) {sym_name = "query_0_2"} : memref<128xbf16>
    %scores_0_2 = aie.buffer(%core_0_2) {sym_name = "scores_0_2"} : memref<64xf32>
    %weights_0_2 = aie.buffer(%core_0_2) {sym_name = "weights_0_2"} : memref<64xbf16>
    %sums_0_2 = aie.buffer(%core_0_2) {sym_name = "sums_0_2"} : memref<128xf32>
    %top_0_2 = aie.buffer(%core_0_2) {sym_name = "top_0_2"} : memref<16xbf16>
    %total_0_2 = aie.buffer(%core_0_2) {sym_name = "total_0_2"} : memref<16xf32>
    %fade_0_2 = aie.buffer(%core_0_2) {sym_name = "fade_0_2"} : memref<16xf32>
    %pair_0_2 = aie.buffer(%core_0_2) {sym_name = "pair_0_2"} : memref<32xbf16>
    %query_0_3 = aie.buffer(%core_0_3) {sym_name = "query_0_3"} : memref<128xbf16>
    %scores_0_3 = aie.buffer(%core_0_3) {sym_name = "scores_0_3"} : memref<64xf32>
    %weights_0_3 = aie.buffer(%core_0_3) {sym_name = "weights_0_3"} : memref<64xbf16>
    %sums_0_3 = aie.buffer(%core_0_3) {sym_name = "sums_0_3"} : memref<128xf32>
    %top_0_3 = aie.buffer(%core_0_3) {sym_name = "top_0_3"} : memref<16xbf16>
    %total_0_3 = aie.buffer(%core_0_3) {sym_name = "total_0_3"} : memref<16xf32>
    %fade_0_3 = aie.buffer(%core_0_3) {sym_name = "fade_0_3"} : memref<16xf32>
    %pair_0_3 = aie.buffer(%core_0_3) {sym_name = "pair_0_3"} : memref<32xbf16>

    func.func private @keep(%seen: memref<16x8x4xbf16>, %query: memref<128xbf16>, %value_0: index, %value_1: index) {
      %c1 = arith.constant 1 : index
      %c0 = arith.constant 0 : index
      %c4 = arith.constant 4 : index
      %s = arith.constant 0.0 : bf16
      %c32 = arith.constant 32 : index
      scf.for %g = %c0 to %c1 step %c1 {
        %sum = arith.addi %g, %value_0 : index
        %prod = arith.muli %sum, %c4 : index
        %sum_1 = arith.addi %g, %value_1 : index
        %prod_1 = arith.muli %sum_1, %c4 : index
        scf.for %d = %c0 to %c4 step %c1 {
          %sum_2 = arith.addi %prod, %d : index
          %q = vector.transfer_read %seen[%sum_2, %c0, %c0], %s {in_bounds = [true, true]} : memref<16x8x4xbf16>, vector<8x4xbf16>
          %cast = vector.shape_cast %q : vector<8x4xbf16> to vector<32xbf16>
          %sum_3 = arith.addi %prod_1, %d : index
          %prod_2 = arith.muli %sum_3, %c32 : index
          vector.transfer_write %cast, %query[%prod_2] {in_bounds = [true]} : vector<32xbf16>, memref<128xbf16>
        }
      }
      func.return
    }

    func.func private @reset(%top: memref<16xbf16>, %total: memref<16xf32>, %sums: memref<128xf32>) {
      %c1 = arith.constant 1 : index
      %c0 = arith.constant 0 : index
      %v = arith.constant dense<-3.0e+38> : vector<16xbf16>
      %c16 = arith.constant 16 : index
      %v_1 = arith.constant dense<0.0> : vector<16xf32>
      %c8 = arith.constant 8 : index
      scf.for %g = %c0 to %c1 step %c1 {
        %prod = arith.muli %g, %c16 : index
        vector.transfer_write %v, %top[%prod] {in_bounds = [true]} : vector<16xbf16>, memref<16xbf16>
        %prod_1 = arith.muli %g, %c16 : index
        vector.transfer_write %v_1, %total[%prod_1] {in_bounds = [true]} : vector<16xf32>, memref<16xf32>
      }
      scf.for %i = %c0 to %c8 step %c1 {
        %prod_2 = arith.muli %i, %c16 : index
        vector.transfer_write %v_1, %sums[%prod_2] {in_bounds = [true]} : vector<16xf32>, memref<128xf32>
      }
      func.return
    }

    func.func private @score(%keys: memref<16x8x4xbf16>, %query: memref<128xbf16>, %scores: memref<64xf32>) {
      %c4 = arith.constant 4 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %v = arith.constant dense<0.0> : vector<4x4xf32>
      %s = arith.constant 0.0 : bf16
      %c128 = arith.constant 128 : index
      %c32 = arith.constant 32 : index
      %c64 = arith.constant 64 : index
      %c16 = arith.constant 16 : index
      scf.for %k = %c0 to %c4 step %c1 {
        scf.for %g = %c0 to %c1 step %c1 {
          %loop = scf.for %d = %c0 to %c4 step %c1 iter_args(%carry = %v) -> (vector<4x4xf32>) {
            %prod = arith.muli %k, %c4 : index
            %sum = arith.addi %prod, %d : index
            %k_1 = vector.transfer_read %keys[%sum, %c0, %c0], %s {in_bounds = [true, true]} : memref<16x8x4xbf16>, vector<8x4xbf16>
            %turned = vector.transpose %k_1, [1, 0] : vector<8x4xbf16> to vector<4x8xbf16>
            %prod_1 = arith.muli %g, %c128 : index
            %prod_2 = arith.muli %d, %c32 : index
            %sum_1 = arith.addi %prod_1, %prod_2 : index
            %q = vector.transfer_read %query[%sum_1], %s {in_bounds = [true]} : memref<128xbf16>, vector<32xbf16>
            %cast = vector.shape_cast %q : vector<32xbf16> to vector<8x4xbf16>
            %acc = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %turned, %cast, %carry : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
            scf.yield %acc : vector<4x4xf32>
          }
          %cast_1 = vector.shape_cast %loop : vector<4x4xf32> to vector<16xf32>
          %prod_3 = arith.muli %g, %c64 : index
          %prod_4 = arith.muli %k, %c16 : index
          %sum_2 = arith.addi %prod_3, %prod_4 : index
          vector.transfer_write %cast_1, %scores[%sum_2] {in_bounds = [true]} : vector<16xf32>, memref<64xf32>
        }
      }
      func.return
    }

    func.func private @weigh(%scores: memref<64xf32>, %weights: memref<64xbf16>, %top: memref<16xbf16>, %total: memref<16xf32>, %fade: memref<16xf32>, %value_0: index) {
      %c1 = arith.constant 1 : index
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      %c16 = arith.constant 16 : index
      %s = arith.constant 0.0 : bf16
      %c4 = arith.constant 4 : index
      %c64 = arith.constant 64 : index
      %s_1 = arith.constant 0.0 : f32
      %v = arith.constant dense<0.25> : vector<16xf32>
      %v_1 = arith.constant dense<[0.0, 0.0, -1.0, -1.0, 1.0, 1.0, 0.0, 0.0, 2.0, 2.0, 1.0, 1.0, 3.0, 3.0, 2.0, 2.0]> : vector<16xbf16>
      %v_2 = arith.constant dense<0.0> : vector<16xbf16>
      %v_3 = arith.constant dense<-3.0e+38> : vector<16xbf16>
      %cm8 = arith.constant -8 : index
      %c8 = arith.constant 8 : index
      %v_4 = arith.constant dense<[0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38]> : vector<16xbf16>
      %v_5 = arith.constant dense<[-3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38]> : vector<16xbf16>
      %v_6 = arith.constant dense<[-3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38]> : vector<16xbf16>
      %v_7 = arith.constant dense<[-3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0, -3.0e+38, -3.0e+38, -3.0e+38, 0.0]> : vector<16xbf16>
      %v_8 = arith.constant dense<1.0> : vector<4x8xbf16>
      %c32 = arith.constant 32 : index
      scf.for %g = %c0 to %c1 step %c1 {
        %prod = arith.muli %g, %c2 : index
        %sum = arith.addi %value_0, %prod : index
        %prod_1 = arith.muli %g, %c16 : index
        %top_1 = vector.transfer_read %top[%prod_1], %s {in_bounds = [true]} : memref<16xbf16>, vector<16xbf16>
        %loop = scf.for %k = %c0 to %c4 step %c1 iter_args(%carry = %top_1) -> (vector<16xbf16>) {
          %prod_2 = arith.muli %g, %c64 : index
          %prod_3 = arith.muli %k, %c16 : index
          %sum_1 = arith.addi %prod_2, %prod_3 : index
          %score = vector.transfer_read %scores[%sum_1], %s_1 {in_bounds = [true]} : memref<64xf32>, vector<16xf32>
          %prod_4 = arith.mulf %score, %v : vector<16xf32>
          %prod_5 = arith.muli %k, %c4 : index
          %diff = arith.subi %sum, %prod_5 : index
          %maxsi = arith.maxsi %diff, %cm8 : index
          %minsi = arith.minsi %maxsi, %c8 : index
          %cast = arith.index_cast %minsi : index to i32
          %cast_1 = arith.sitofp %cast : i32 to bf16
          %lanes = vector.broadcast %cast_1 : bf16 to vector<16xbf16>
          %is = arith.cmpf ole, %v_1, %lanes : vector<16xbf16>
          %pick = arith.select %is, %v_2, %v_3 : vector<16xi1>, vector<16xbf16>
          %wide = arith.extf %pick : vector<16xbf16> to vector<16xf32>
          %sum_2 = arith.addf %prod_4, %wide : vector<16xf32>
          %prod_6 = arith.muli %g, %c64 : index
          %prod_7 = arith.muli %k, %c16 : index
          %sum_3 = arith.addi %prod_6, %prod_7 : index
          vector.transfer_write %sum_2, %scores[%sum_3] {in_bounds = [true]} : vector<16xf32>, memref<64xf32>
          %narrow = arith.truncf %sum_2 : vector<16xf32> to vector<16xbf16>
          %max = arith.maximumf %carry, %narrow : vector<16xbf16>
          scf.yield %max : vector<16xbf16>
        }
        %sum_4 = arith.addf %loop, %v_4 : vector<16xbf16>
        %top_2 = vector.reduction <maximumf>, %sum_4 : vector<16xbf16> into bf16
        %lanes_1 = vector.broadcast %top_2 : bf16 to vector<16xbf16>
        %sum_5 = arith.addf %lanes_1, %v_4 : vector<16xbf16>
        %sum_6 = arith.addf %loop, %v_5 : vector<16xbf16>
        %top_3 = vector.reduction <maximumf>, %sum_6 : vector<16xbf16> into bf16
        %lanes_2 = vector.broadcast %top_3 : bf16 to vector<16xbf16>
        %sum_7 = arith.addf %lanes_2, %v_5 : vector<16xbf16>
        %sum_8 = arith.addf %loop, %v_6 : vector<16xbf16>
        %top_4 = vector.reduction <maximumf>, %sum_8 : vector<16xbf16> into bf16
        %lanes_3 = vector.broadcast %top_4 : bf16 to vector<16xbf16>
        %sum_9 = arith.addf %lanes_3, %v_6 : vector<16xbf16>
        %sum_10 = arith.addf %loop, %v_7 : vector<16xbf16>
        %top_5 = vector.reduction <maximumf>, %sum_10 : vector<16xbf16> into bf16
        %lanes_4 = vector.broadcast %top_5 : bf16 to vector<16xbf16>
        %sum_11 = arith.addf %lanes_4, %v_7 : vector<16xbf16>
        %max_1 = arith.maximumf %sum_5, %sum_7 : vector<16xbf16>
        %max_2 = arith.maximumf %max_1, %sum_9 : vector<16xbf16>
        %max_3 = arith.maximumf %max_2, %sum_11 : vector<16xbf16>
        %wide_1 = arith.extf %max_3 : vector<16xbf16> to vector<16xf32>
        %wide_2 = arith.extf %top_1 : vector<16xbf16> to vector<16xf32>
        %diff_1 = arith.subf %wide_2, %wide_1 : vector<16xf32>
        %narrow_1 = arith.truncf %diff_1 : vector<16xf32> to vector<16xbf16>
        %exp = math.exp %narrow_1 : vector<16xbf16>
        %wide_3 = arith.extf %exp : vector<16xbf16> to vector<16xf32>
        %prod_8 = arith.muli %g, %c16 : index
        vector.transfer_write %max_3, %top[%prod_8] {in_bounds = [true]} : vector<16xbf16>, memref<16xbf16>
        %prod_9 = arith.muli %g, %c16 : index
        vector.transfer_write %wide_3, %fade[%prod_9] {in_bounds = [true]} : vector<16xf32>, memref<16xf32>
        scf.for %k_1 = %c0 to %c4 step %c1 {
          %prod_10 = arith.muli %g, %c64 : index
          %prod_11 = arith.muli %k_1, %c16 : index
          %sum_12 = arith.addi %prod_10, %prod_11 : index
          %score_1 = vector.transfer_read %scores[%sum_12], %s_1 {in_bounds = [true]} : memref<64xf32>, vector<16xf32>
          %diff_2 = arith.subf %score_1, %wide_1 : vector<16xf32>
          %narrow_2 = arith.truncf %diff_2 : vector<16xf32> to vector<16xbf16>
          %exp_1 = math.exp %narrow_2 : vector<16xbf16>
          %prod_12 = arith.muli %g, %c64 : index
          %prod_13 = arith.muli %k_1, %c16 : index
          %sum_13 = arith.addi %prod_12, %prod_13 : index
          vector.transfer_write %exp_1, %weights[%sum_13] {in_bounds = [true]} : vector<16xbf16>, memref<64xbf16>
        }
        %prod_14 = arith.muli %g, %c16 : index
        %total_1 = vector.transfer_read %total[%prod_14], %s_1 {in_bounds = [true]} : memref<16xf32>, vector<16xf32>
        %prod_15 = arith.mulf %total_1, %wide_3 : vector<16xf32>
        %cast_2 = vector.shape_cast %prod_15 : vector<16xf32> to vector<4x4xf32>
        %loop_1 = scf.for %k_2 = %c0 to %c2 step %c1 iter_args(%carry_1 = %cast_2) -> (vector<4x4xf32>) {
          %prod_16 = arith.muli %g, %c64 : index
          %prod_17 = arith.muli %k_2, %c32 : index
          %sum_14 = arith.addi %prod_16, %prod_17 : index
          %p = vector.transfer_read %weights[%sum_14], %s {in_bounds = [true]} : memref<64xbf16>, vector<32xbf16>
          %cast_3 = vector.shape_cast %p : vector<32xbf16> to vector<8x4xbf16>
          %acc = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %v_8, %cast_3, %carry_1 : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
          scf.yield %acc : vector<4x4xf32>
        }
        %cast_4 = vector.shape_cast %loop_1 : vector<4x4xf32> to vector<16xf32>
        %prod_18 = arith.muli %g, %c16 : index
        vector.transfer_write %cast_4, %total[%prod_18] {in_bounds = [true]} : vector<16xf32>, memref<16xf32>
      }
      func.return
    }

    func.func private @accumulate(%values: memref<16x8x4xbf16>, %weights: memref<64xbf16>, %fade: memref<16xf32>, %sums: memref<128xf32>) {
      %c8 = arith.constant 8 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c16 = arith.constant 16 : index
      %s = arith.constant 0.0 : f32
      %c128 = arith.constant 128 : index
      %c2 = arith.constant 2 : index
      %s_1 = arith.constant 0.0 : bf16
      %c64 = arith.constant 64 : index
      %c32 = arith.constant 32 : index
      scf.for %d = %c0 to %c8 step %c1 {
        scf.for %g = %c0 to %c1 step %c1 {
          %prod = arith.muli %g, %c16 : index
          %fade_1 = vector.transfer_read %fade[%prod], %s {in_bounds = [true]} : memref<16xf32>, vector<16xf32>
          %prod_1 = arith.muli %g, %c128 : index
          %prod_2 = arith.muli %d, %c16 : index
          %sum = arith.addi %prod_1, %prod_2 : index
          %sum_1 = vector.transfer_read %sums[%sum], %s {in_bounds = [true]} : memref<128xf32>, vector<16xf32>
          %prod_3 = arith.mulf %sum_1, %fade_1 : vector<16xf32>
          %cast = vector.shape_cast %prod_3 : vector<16xf32> to vector<4x4xf32>
          %loop = scf.for %k = %c0 to %c2 step %c1 iter_args(%carry = %cast) -> (vector<4x4xf32>) {
            %prod_4 = arith.muli %k, %c8 : index
            %sum_2 = arith.addi %prod_4, %d : index
            %v = vector.transfer_read %values[%sum_2, %c0, %c0], %s_1 {in_bounds = [true, true]} : memref<16x8x4xbf16>, vector<8x4xbf16>
            %turned = vector.transpose %v, [1, 0] : vector<8x4xbf16> to vector<4x8xbf16>
            %prod_5 = arith.muli %g, %c64 : index
            %prod_6 = arith.muli %k, %c32 : index
            %sum_3 = arith.addi %prod_5, %prod_6 : index
            %p = vector.transfer_read %weights[%sum_3], %s_1 {in_bounds = [true]} : memref<64xbf16>, vector<32xbf16>
            %cast_1 = vector.shape_cast %p : vector<32xbf16> to vector<8x4xbf16>
            %acc = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %turned, %cast_1, %carry : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
            scf.yield %acc : vector<4x4xf32>
          }
          %cast_2 = vector.shape_cast %loop : vector<4x4xf32> to vector<16xf32>
          %prod_7 = arith.muli %g, %c128 : index
          %prod_8 = arith.muli %d, %c16 : index
          %sum_4 = arith.addi %prod_7, %prod_8 : index
          vector.transfer_write %cast_2, %sums[%sum_4] {in_bounds = [true]} : vector<16xf32>, memref<128xf32>
        }
      }
      func.return
    }

    func.func private @finish(%out: memref<4x4x8xbf16>, %sums: memref<128xf32>, %total: memref<16xf32>, %pair: memref<32xbf16>) {
      %c1 = arith.constant 1 : index
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %s = arith.constant 0.0 : f32
      %v = arith.constant dense<2.0> : vector<16xf32>
      %c4 = arith.constant 4 : index
      %c128 = arith.constant 128 : index
      %c32 = arith.constant 32 : index
      %s_1 = arith.constant 0.0 : bf16
      scf.for %g = %c0 to %c1 step %c1 {
        %prod = arith.muli %g, %c16 : index
        %total_1 = vector.transfer_read %total[%prod], %s {in_bounds = [true]} : memref<16xf32>, vector<16xf32>
        %narrow = arith.truncf %total_1 : vector<16xf32> to vector<16xbf16>
        %rsqrt = math.rsqrt %narrow : vector<16xbf16>
        %wide = arith.extf %rsqrt : vector<16xbf16> to vector<16xf32>
        %prod_1 = arith.mulf %wide, %wide : vector<16xf32>
        %prod_2 = arith.mulf %total_1, %prod_1 : vector<16xf32>
        %diff = arith.subf %v, %prod_2 : vector<16xf32>
        %prod_3 = arith.mulf %prod_1, %diff : vector<16xf32>
        scf.for %d = %c0 to %c4 step %c1 {
          %prod_4 = arith.muli %g, %c128 : index
          %prod_5 = arith.muli %d, %c32 : index
          %sum = arith.addi %prod_4, %prod_5 : index
          %sum_1 = vector.transfer_read %sums[%sum], %s {in_bounds = [true]} : memref<128xf32>, vector<16xf32>
          %prod_6 = arith.mulf %sum_1, %prod_3 : vector<16xf32>
          %narrow_1 = arith.truncf %prod_6 : vector<16xf32> to vector<16xbf16>
          vector.transfer_write %narrow_1, %pair[%c0] {in_bounds = [true]} : vector<16xbf16>, memref<32xbf16>
          %prod_7 = arith.muli %g, %c128 : index
          %prod_8 = arith.muli %d, %c32 : index
          %sum_2 = arith.addi %prod_7, %prod_8 : index
          %sum_3 = arith.addi %sum_2, %c16 : index
          %sum_4 = vector.transfer_read %sums[%sum_3], %s {in_bounds = [true]} : memref<128xf32>, vector<16xf32>
          %prod_9 = arith.mulf %sum_4, %prod_3 : vector<16xf32>
          %narrow_2 = arith.truncf %prod_9 : vector<16xf32> to vector<16xbf16>
          vector.transfer_write %narrow_2, %pair[%c16] {in_bounds = [true]} : vector<16xbf16>, memref<32xbf16>
          %pair_1 = vector.transfer_read %pair[%c0], %s_1 {in_bounds = [true]} : memref<32xbf16>, vector<32xbf16>
          %cast = vector.shape_cast %pair_1 : vector<32xbf16> to vector<8x4xbf16>
          %turned = vector.transpose %cast, [1, 0] : vector<8x4xbf16> to vector<4x8xbf16>
          %prod_10 = arith.muli %g, %c4 : index
          %sum_5 = arith.addi %prod_10, %d : index
          vector.transfer_write %turned, %out[%sum_5, %c0, %c0] {in_bounds = [true, true]} : vector<4x8xbf16>, memref<4x4x8xbf16>
        }
      }
      func.return
    }

    %program_0_2 = aie.core(%core_0_2) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      %c4 = arith.constant 4 : index
      %c16 = arith.constant 16 : index
      scf.for %run = %c0 to %forever step %c1 {
        %v_view = aie.objectfifo.acquire @v_0_0(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
        %v = aie.objectfifo.subview.access %v_view[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
        %item = memref.load %v[%c0, %c0, %c0] : memref<16x8x4xbf16>
        %bits = arith.bitcast %item : bf16 to i16
        %position = arith.index_cast %bits : i16 to index
        aie.objectfifo.release @v_0_0(Consume, 1)
        scf.for %round = %c0 to %c1 step %c1 {
          scf.for %turn = %c0 to %c1 step %c1 {
            %qk_view = aie.objectfifo.acquire @qk_0_0(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
            %qk = aie.objectfifo.subview.access %qk_view[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
            func.call @keep(%qk, %query_0_2, %c0, %c0) : (memref<16x8x4xbf16>, memref<128xbf16>, index, index) -> ()
            aie.objectfifo.release @qk_0_0(Consume, 1)
            func.call @reset(%top_0_2, %total_0_2, %sums_0_2) : (memref<16xbf16>, memref<16xf32>, memref<128xf32>) -> ()
            %prod = arith.muli %turn, %c1 : index
            %sum = arith.addi %prod, %c0 : index
            %prod_1 = arith.muli %sum, %c8 : index
            %sum_1 = arith.addi %position, %prod_1 : index
            %sum_2 = arith.addi %sum_1, %c0 : index
            %diff = arith.subi %c4, %c0 : index
            %prod_2 = arith.muli %diff, %c1 : index
            %prod_3 = arith.muli %c0, %c16 : index
            %diff_1 = arith.subi %sum_2, %prod_3 : index
            %sum_3 = arith.addi %diff_1, %c1 : index
            %maxsi = arith.maxsi %c0, %sum_3 : index
            %divsi = arith.divsi %maxsi, %c16 : index
            %sum_4 = arith.addi %divsi, %c1 : index
            %minsi = arith.minsi %prod_2, %sum_4 : index
            %diff_2 = arith.subi %minsi, %c0 : index
            %diff_3 = arith.subi %prod_2, %minsi : index
            %prod_4 = arith.muli %c0, %c16 : index
            %diff_4 = arith.subi %diff_1, %prod_4 : index
            scf.for %tile = %c0 to %diff_2 step %c1 {
              %qk_view_1 = aie.objectfifo.acquire @qk_0_0(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
              %qk_1 = aie.objectfifo.subview.access %qk_view_1[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
              func.call @score(%qk_1, %query_0_2, %scores_0_2) : (memref<16x8x4xbf16>, memref<128xbf16>, memref<64xf32>) -> ()
              aie.objectfifo.release @qk_0_0(Consume, 1)
              %prod_5 = arith.muli %tile, %c16 : index
              %diff_5 = arith.subi %diff_4, %prod_5 : index
              func.call @weigh(%scores_0_2, %weights_0_2, %top_0_2, %total_0_2, %fade_0_2, %diff_5) : (memref<64xf32>, memref<64xbf16>, memref<16xbf16>, memref<16xf32>, memref<16xf32>, index) -> ()
              %v_view_1 = aie.objectfifo.acquire @v_0_0(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
              %v_1 = aie.objectfifo.subview.access %v_view_1[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
              func.call @accumulate(%v_1, %weights_0_2, %fade_0_2, %sums_0_2) : (memref<16x8x4xbf16>, memref<64xbf16>, memref<16xf32>, memref<128xf32>) -> ()
              aie.objectfifo.release @v_0_0(Consume, 1)
            }
            // what is masked for this core passes by
            scf.for %passed = %c0 to %diff_3 step %c1 {
              %qk_view_2 = aie.objectfifo.acquire @qk_0_0(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
              %qk_2 = aie.objectfifo.subview.access %qk_view_2[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
              aie.objectfifo.release @qk_0_0(Consume, 1)
              %v_view_2 = aie.objectfifo.acquire @v_0_0(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
              %v_2 = aie.objectfifo.subview.access %v_view_2[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
              aie.objectfifo.release @v_0_0(Consume, 1)
            }
            %o_view = aie.objectfifo.acquire @o_0_0(Produce, 1) : !aie.objectfifosubview<memref<4x4x8xbf16>>
            %o = aie.objectfifo.subview.access %o_view[0] : !aie.objectfifosubview<memref<4x4x8xbf16>> -> memref<4x4x8xbf16>
            func.call @finish(%o, %sums_0_2, %total_0_2, %pair_0_2) : (memref<4x4x8xbf16>, memref<128xf32>, memref<16xf32>, memref<32xbf16>) -> ()
            aie.objectfifo.release @o_0_0(Produce, 1)
          }
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_0_3 = aie.core(%core_0_3) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      %c4 = arith.constant 4 : index
      %c16 = arith.constant 16 : index
      scf.for %run = %c0 to %forever step %c1 {
        %v_view = aie.objectfifo.acquire @v_0_1(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
        %v = aie.objectfifo.subview.access %v_view[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
        %item = memref.load %v[%c0, %c0, %c0] : memref<16x8x4xbf16>
        %bits = arith.bitcast %item : bf16 to i16
        %position = arith.index_cast %bits : i16 to index
        aie.objectfifo.release @v_0_1(Consume, 1)
        scf.for %round = %c0 to %c1 step %c1 {
          scf.for %turn = %c0 to %c1 step %c1 {
            %qk_view = aie.objectfifo.acquire @qk_0_1(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
            %qk = aie.objectfifo.subview.access %qk_view[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
            func.call @keep(%qk, %query_0_3, %c0, %c0) : (memref<16x8x4xbf16>, memref<128xbf16>, index, index) -> ()
            aie.objectfifo.release @qk_0_1(Consume, 1)
            func.call @reset(%top_0_3, %total_0_3, %sums_0_3) : (memref<16xbf16>, memref<16xf32>, memref<128xf32>) -> ()
            %prod = arith.muli %turn, %c1 : index
            %sum = arith.addi %prod, %c0 : index
            %prod_1 = arith.muli %sum, %c8 : index
            %sum_1 = arith.addi %position, %prod_1 : index
            %sum_2 = arith.addi %sum_1, %c0 : index
            %diff = arith.subi %c4, %c0 : index
            %prod_2 = arith.muli %diff, %c1 : index
            %prod_3 = arith.muli %c0, %c16 : index
            %diff_1 = arith.subi %sum_2, %prod_3 : index
            %sum_3 = arith.addi %diff_1, %c1 : index
            %maxsi = arith.maxsi %c0, %sum_3 : index
            %divsi = arith.divsi %maxsi, %c16 : index
            %sum_4 = arith.addi %divsi, %c1 : index
            %minsi = arith.minsi %prod_2, %sum_4 : index
            %diff_2 = arith.subi %minsi, %c0 : index
            %diff_3 = arith.subi %prod_2, %minsi : index
            %prod_4 = arith.muli %c0, %c16 : index
            %diff_4 = arith.subi %diff_1, %prod_4 : index
            scf.for %tile = %c0 to %diff_2 step %c1 {
              %qk_view_1 = aie.objectfifo.acquire @qk_0_1(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
              %qk_1 = aie.objectfifo.subview.access %qk_view_1[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
              func.call @score(%qk_1, %query_0_3, %scores_0_3) : (memref<16x8x4xbf16>, memref<128xbf16>, memref<64xf32>) -> ()
              aie.objectfifo.release @qk_0_1(Consume, 1)
              %prod_5 = arith.muli %tile, %c16 : index
              %diff_5 = arith.subi %diff_4, %prod_5 : index
              func.call @weigh(%scores_0_3, %weights_0_3, %top_0_3, %total_0_3, %fade_0_3, %diff_5) : (memref<64xf32>, memref<64xbf16>, memref<16xbf16>, memref<16xf32>, memref<16xf32>, index) -> ()
              %v_view_1 = aie.objectfifo.acquire @v_0_1(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
              %v_1 = aie.objectfifo.subview.access %v_view_1[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
              func.call @accumulate(%v_1, %weights_0_3, %fade_0_3, %sums_0_3) : (memref<16x8x4xbf16>, memref<64xbf16>, memref<16xf32>, memref<128xf32>) -> ()
              aie.objectfifo.release @v_0_1(Consume, 1)
            }
            // what is masked for this core passes by
            scf.for %passed = %c0 to %diff_3 step %c1 {
              %qk_view_2 = aie.objectfifo.acquire @qk_0_1(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
              %qk_2 = aie.objectfifo.subview.access %qk_view_2[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
              aie.objectfifo.release @qk_0_1(Consume, 1)
              %v_view_2 = aie.objectfifo.acquire @v_0_1(Consume, 1) : !aie.objectfifosubview<memref<16x8x4xbf16>>
              %v_2 = aie.objectfifo.subview.access %v_view_2[0] : !aie.objectfifosubview<memref<16x8x4xbf16>> -> memref<16x8x4xbf16>
              aie.objectfifo.release @v_0_1(Consume, 1)
            }
            %o_view = aie.objectfifo.acquire @o_0_1(Produce, 1) : !aie.objectfifosubview<memref<4x4x8xbf16>>
            %o = aie.objectfifo.subview.access %o_view[0] : !aie.objectfifosubview<memref<4x4x8xbf16>> -> memref<4x4x8xbf16>
            func.call @finish(%o, %sums_0_3, %total_0_3, %pair_0_3) : (memref<4x4x8xbf16>, memref<128xf32>, memref<16xf32>, memref<32xbf16>) -> ()
            aie.objectfifo.release @o_0_1(Produce, 1)
          }
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    aie.runtime_sequence @attention_decode(%q: memref<1024xbf16>, %k: memref<4096xbf16>, %v: memref<4096xbf16>, %o: memref<256xbf16>, %position: memref<512xbf16>) {
      aiex.npu.dma_memcpy_nd(%position[0, 0, 0, 0][2, 1, 16, 32][0, 0, 32, 1]) {metadata = @v_in_0, id = 0 : i64} : memref<512xbf16>
      aiex.npu.dma_memcpy_nd(%q[0, 0, 0, 0][1, 1, 1, 1024][0, 0, 0, 1]) {metadata = @qk_in_0, id = 1 : i64} : memref<1024xbf16>
      aiex.npu.dma_memcpy_nd(%k[0, 0, 0, 0][4, 2, 32, 16][16, 2048, 64, 1]) {metadata = @qk_in_0, id = 2 : i64} : memref<4096xbf16>
      aiex.npu.dma_memcpy_nd(%v[0, 0, 0, 0][4, 2, 16, 32][512, 2048, 32, 1]) {metadata = @v_in_0, id = 4 : i64} : memref<4096xbf16>
      aiex.npu.dma_memcpy_nd(%o[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @o_out_0, id = 3 : i64, issue_token = true} : memref<256xbf16>
      aiex.npu.dma_wait {symbol = @o_out_0}
    }
  }
}
