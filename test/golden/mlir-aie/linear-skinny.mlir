// 1 x 64 x 192, bf16 into f32, result f32, bias
// skinny: A to all cores, B distributed, 1 rounds
// tile 4 x 16 x 16 per core, 4 steps of K, room for 2 of its results
// A in panels of 64 columns; core memory 2944 bytes, memory tile 7680 bytes
// M 1 is padded to 4 with zeros
// N 192 is padded to 256 with zeros
#left = affine_map<(m, n, k) -> (m, k)>
#right = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
module {
  aie.device(npu1) {
    %shim_0 = aie.tile(0, 0)
    %mem_0 = aie.tile(0, 1)
    %core_0_2 = aie.tile(0, 2)
    %core_0_3 = aie.tile(0, 3)
    %core_0_4 = aie.tile(0, 4)
    %core_0_5 = aie.tile(0, 5)
    %shim_1 = aie.tile(1, 0)
    %mem_1 = aie.tile(1, 1)
    %core_1_2 = aie.tile(1, 2)
    %core_1_3 = aie.tile(1, 3)
    %core_1_4 = aie.tile(1, 4)
    %core_1_5 = aie.tile(1, 5)
    %shim_2 = aie.tile(2, 0)
    %mem_2 = aie.tile(2, 1)
    %core_2_2 = aie.tile(2, 2)
    %core_2_3 = aie.tile(2, 3)
    %core_2_4 = aie.tile(2, 4)
    %core_2_5 = aie.tile(2, 5)
    %shim_3 = aie.tile(3, 0)
    %mem_3 = aie.tile(3, 1)
    %core_3_2 = aie.tile(3, 2)
    %core_3_3 = aie.tile(3, 3)
    %core_3_4 = aie.tile(3, 4)
    %core_3_5 = aie.tile(3, 5)

    aie.objectfifo @b_in_0(%shim_0, {%mem_0}, 2 : i32) : !aie.objectfifo<memref<36x8x4xbf16>>  // weights of column 0
    aie.objectfifo @b_0_0(%mem_0, {%core_0_2}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 0
    aie.objectfifo @b_0_1(%mem_0, {%core_0_3}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 1
    aie.objectfifo @b_0_2(%mem_0, {%core_0_4}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 2
    aie.objectfifo @b_0_3(%mem_0, {%core_0_5}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 3
    aie.objectfifo @b_in_1(%shim_1, {%mem_1}, 2 : i32) : !aie.objectfifo<memref<36x8x4xbf16>>  // weights of column 1
    aie.objectfifo @b_1_0(%mem_1, {%core_1_2}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 0
    aie.objectfifo @b_1_1(%mem_1, {%core_1_3}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 1
    aie.objectfifo @b_1_2(%mem_1, {%core_1_4}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 2
    aie.objectfifo @b_1_3(%mem_1, {%core_1_5}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 3
    aie.objectfifo @b_in_2(%shim_2, {%mem_2}, 2 : i32) : !aie.objectfifo<memref<36x8x4xbf16>>  // weights of column 2
    aie.objectfifo @b_2_0(%mem_2, {%core_2_2}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 0
    aie.objectfifo @b_2_1(%mem_2, {%core_2_3}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 1
    aie.objectfifo @b_2_2(%mem_2, {%core_2_4}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 2
    aie.objectfifo @b_2_3(%mem_2, {%core_2_5}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 3
    aie.objectfifo @b_in_3(%shim_3, {%mem_3}, 2 : i32) : !aie.objectfifo<memref<36x8x4xbf16>>  // weights of column 3
    aie.objectfifo @b_3_0(%mem_3, {%core_3_2}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 0
    aie.objectfifo @b_3_1(%mem_3, {%core_3_3}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 1
    aie.objectfifo @b_3_2(%mem_3, {%core_3_4}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 2
    aie.objectfifo @b_3_3(%mem_3, {%core_3_5}, 2 : i32) : !aie.objectfifo<memref<9x8x4xbf16>>  // the part of core 3
    aie.objectfifo @a_in_0(%shim_0, {%mem_0}, 2 : i32) : !aie.objectfifo<memref<4x64xbf16>>  // A for all cores
    aie.objectfifo @a_0(%mem_0 dimensionsToStream [<size = 8, stride = 8>, <size = 4, stride = 64>, <size = 8, stride = 1>], {%core_0_2, %core_0_3, %core_0_4, %core_0_5, %core_1_2, %core_1_3, %core_1_4, %core_1_5, %core_2_2, %core_2_3, %core_2_4, %core_2_5, %core_3_2, %core_3_3, %core_3_4, %core_3_5}, 2 : i32) : !aie.objectfifo<memref<2x4x8xbf16>>  // the same in blocks
    aie.objectfifo @c_0_0(%core_0_2, {%mem_0}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_0_1(%core_0_3, {%mem_0}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_0_2(%core_0_4, {%mem_0}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_0_3(%core_0_5, {%mem_0}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_out_0(%mem_0 dimensionsToStream [<size = 1, stride = 64>, <size = 4, stride = 4>, <size = 4, stride = 16>, <size = 4, stride = 1>], {%shim_0}, 2 : i32) : !aie.objectfifo<memref<256xf32>>  // results of column 0, in rows
    aie.objectfifo @c_1_0(%core_1_2, {%mem_1}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_1_1(%core_1_3, {%mem_1}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_1_2(%core_1_4, {%mem_1}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_1_3(%core_1_5, {%mem_1}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_out_1(%mem_1 dimensionsToStream [<size = 1, stride = 64>, <size = 4, stride = 4>, <size = 4, stride = 16>, <size = 4, stride = 1>], {%shim_1}, 2 : i32) : !aie.objectfifo<memref<256xf32>>  // results of column 1, in rows
    aie.objectfifo @c_2_0(%core_2_2, {%mem_2}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_2_1(%core_2_3, {%mem_2}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_2_2(%core_2_4, {%mem_2}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_2_3(%core_2_5, {%mem_2}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_out_2(%mem_2 dimensionsToStream [<size = 1, stride = 64>, <size = 4, stride = 4>, <size = 4, stride = 16>, <size = 4, stride = 1>], {%shim_2}, 2 : i32) : !aie.objectfifo<memref<256xf32>>  // results of column 2, in rows
    aie.objectfifo @c_3_0(%core_3_2, {%mem_3}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_3_1(%core_3_3, {%mem_3}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_3_2(%core_3_4, {%mem_3}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_3_3(%core_3_5, {%mem_3}, 2 : i32) : !aie.objectfifo<memref<4x4x4xf32>>  // a tile of the result
    aie.objectfifo @c_out_3(%mem_3 dimensionsToStream [<size = 1, stride = 64>, <size = 4, stride = 4>, <size = 4, stride = 16>, <size = 4, stride = 1>], {%shim_3}, 2 : i32) : !aie.objectfifo<memref<256xf32>>  // results of column 3, in rows
    aie.objectfifo.link [@b_in_0] -> [@b_0_0, @b_0_1, @b_0_2, @b_0_3] ([] [0, 288, 576, 864])
    aie.objectfifo.link [@b_in_1] -> [@b_1_0, @b_1_1, @b_1_2, @b_1_3] ([] [0, 288, 576, 864])
    aie.objectfifo.link [@b_in_2] -> [@b_2_0, @b_2_1, @b_2_2, @b_2_3] ([] [0, 288, 576, 864])
    aie.objectfifo.link [@b_in_3] -> [@b_3_0, @b_3_1, @b_3_2, @b_3_3] ([] [0, 288, 576, 864])
    aie.objectfifo.link [@a_in_0] -> [@a_0] ([] [])
    aie.objectfifo.link [@c_0_0, @c_0_1, @c_0_2, @c_0_3] -> [@c_out_0] ([0, 64, 128, 192] [])
    aie.objectfifo.link [@c_1_0, @c_1_1, @c_1_2, @c_1_3] -> [@c_out_1] ([0, 64, 128, 192] [])
    aie.objectfifo.link [@c_2_0, @c_2_1, @c_2_2, @c_2_3] -> [@c_out_2] ([0, 64, 128, 192] [])
    aie.objectfifo.link [@c_3_0, @c_3_1, @c_3_2, @c_3_3] -> [@c_out_3] ([0, 64, 128, 192] [])

    func.func private @start_with_bias(%weights: memref<9x8x4xbf16>, %acc: memref<4x4x4xf32>) {
      %v = arith.constant dense<[[1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]> : vector<4x8xbf16>
      %c1 = arith.constant 1 : index
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %s = arith.constant 0.0 : bf16
      %v_1 = arith.constant dense<0.0> : vector<4x4xf32>
      %c4 = arith.constant 4 : index
      %v_2 = arith.constant dense<[[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]> : vector<4x8xbf16>
      %v_3 = arith.constant dense<[[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]]> : vector<4x8xbf16>
      %c2 = arith.constant 2 : index
      %v_4 = arith.constant dense<[[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]]> : vector<4x8xbf16>
      %c3 = arith.constant 3 : index
      scf.for %q = %c0 to %c1 step %c1 {
        %sum = arith.addi %q, %c8 : index
        %bias = vector.transfer_read %weights[%sum, %c0, %c0], %s {in_bounds = [true, true]} : memref<9x8x4xbf16>, vector<8x4xbf16>
        %acc_1 = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %v, %bias, %v_1 : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
        %prod = arith.muli %q, %c4 : index
        %sum_1 = arith.addi %prod, %c0 : index
        scf.for %i = %c0 to %c1 step %c1 {
          %prod_1 = arith.muli %i, %c4 : index
          %sum_2 = arith.addi %prod_1, %sum_1 : index
          vector.transfer_write %acc_1, %acc[%sum_2, %c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<4x4x4xf32>
        }
      }
      scf.for %q_1 = %c0 to %c1 step %c1 {
        %sum_3 = arith.addi %q_1, %c8 : index
        %bias_1 = vector.transfer_read %weights[%sum_3, %c0, %c0], %s {in_bounds = [true, true]} : memref<9x8x4xbf16>, vector<8x4xbf16>
        %acc_2 = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %v_2, %bias_1, %v_1 : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
        %prod_2 = arith.muli %q_1, %c4 : index
        %sum_4 = arith.addi %prod_2, %c1 : index
        scf.for %i_1 = %c0 to %c1 step %c1 {
          %prod_3 = arith.muli %i_1, %c4 : index
          %sum_5 = arith.addi %prod_3, %sum_4 : index
          vector.transfer_write %acc_2, %acc[%sum_5, %c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<4x4x4xf32>
        }
      }
      scf.for %q_2 = %c0 to %c1 step %c1 {
        %sum_6 = arith.addi %q_2, %c8 : index
        %bias_2 = vector.transfer_read %weights[%sum_6, %c0, %c0], %s {in_bounds = [true, true]} : memref<9x8x4xbf16>, vector<8x4xbf16>
        %acc_3 = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %v_3, %bias_2, %v_1 : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
        %prod_4 = arith.muli %q_2, %c4 : index
        %sum_7 = arith.addi %prod_4, %c2 : index
        scf.for %i_2 = %c0 to %c1 step %c1 {
          %prod_5 = arith.muli %i_2, %c4 : index
          %sum_8 = arith.addi %prod_5, %sum_7 : index
          vector.transfer_write %acc_3, %acc[%sum_8, %c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<4x4x4xf32>
        }
      }
      scf.for %q_3 = %c0 to %c1 step %c1 {
        %sum_9 = arith.addi %q_3, %c8 : index
        %bias_3 = vector.transfer_read %weights[%sum_9, %c0, %c0], %s {in_bounds = [true, true]} : memref<9x8x4xbf16>, vector<8x4xbf16>
        %acc_4 = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %v_4, %bias_3, %v_1 : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
        %prod_6 = arith.muli %q_3, %c4 : index
        %sum_10 = arith.addi %prod_6, %c3 : index
        scf.for %i_3 = %c0 to %c1 step %c1 {
          %prod_7 = arith.muli %i_3, %c4 : index
          %sum_11 = arith.addi %prod_7, %sum_10 : index
          vector.transfer_write %acc_4, %acc[%sum_11, %c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<4x4x4xf32>
        }
      }
      func.return
    }

    func.func private @multiply(%a: memref<2x4x8xbf16>, %weights: memref<9x8x4xbf16>, %acc: memref<4x4x4xf32>, %value_0: index) {
      %c1 = arith.constant 1 : index
      %c0 = arith.constant 0 : index
      %c4 = arith.constant 4 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %s = arith.constant 0.0 : f32
      %s_1 = arith.constant 0.0 : bf16
      scf.for %i = %c0 to %c1 step %c1 {
        scf.for %j = %c0 to %c4 step %c4 {
          %sum = arith.addi %i, %value_0 : index
          %prod = arith.muli %sum, %c4 : index
          %sum_1 = arith.addi %prod, %j : index
          %sum_2 = arith.addi %j, %c1 : index
          %prod_1 = arith.muli %sum, %c4 : index
          %sum_3 = arith.addi %prod_1, %sum_2 : index
          %sum_4 = arith.addi %j, %c2 : index
          %prod_2 = arith.muli %sum, %c4 : index
          %sum_5 = arith.addi %prod_2, %sum_4 : index
          %sum_6 = arith.addi %j, %c3 : index
          %prod_3 = arith.muli %sum, %c4 : index
          %sum_7 = arith.addi %prod_3, %sum_6 : index
          %sum_8 = vector.transfer_read %acc[%sum_1, %c0, %c0], %s {in_bounds = [true, true]} : memref<4x4x4xf32>, vector<4x4xf32>
          %sum_9 = vector.transfer_read %acc[%sum_3, %c0, %c0], %s {in_bounds = [true, true]} : memref<4x4x4xf32>, vector<4x4xf32>
          %sum_10 = vector.transfer_read %acc[%sum_5, %c0, %c0], %s {in_bounds = [true, true]} : memref<4x4x4xf32>, vector<4x4xf32>
          %sum_11 = vector.transfer_read %acc[%sum_7, %c0, %c0], %s {in_bounds = [true, true]} : memref<4x4x4xf32>, vector<4x4xf32>
          %loop:4 = scf.for %d = %c0 to %c2 step %c1 iter_args(%carry = %sum_8, %carry_1 = %sum_9, %carry_2 = %sum_10, %carry_3 = %sum_11) -> (vector<4x4xf32>, vector<4x4xf32>, vector<4x4xf32>, vector<4x4xf32>) {
            %prod_4 = arith.muli %d, %c1 : index
            %sum_12 = arith.addi %prod_4, %i : index
            %x = vector.transfer_read %a[%sum_12, %c0, %c0], %s_1 {in_bounds = [true, true]} : memref<2x4x8xbf16>, vector<4x8xbf16>
            %prod_5 = arith.muli %d, %c4 : index
            %sum_13 = arith.addi %prod_5, %j : index
            %w = vector.transfer_read %weights[%sum_13, %c0, %c0], %s_1 {in_bounds = [true, true]} : memref<9x8x4xbf16>, vector<8x4xbf16>
            %sum_14 = arith.addi %j, %c1 : index
            %prod_6 = arith.muli %d, %c4 : index
            %sum_15 = arith.addi %prod_6, %sum_14 : index
            %w_1 = vector.transfer_read %weights[%sum_15, %c0, %c0], %s_1 {in_bounds = [true, true]} : memref<9x8x4xbf16>, vector<8x4xbf16>
            %sum_16 = arith.addi %j, %c2 : index
            %prod_7 = arith.muli %d, %c4 : index
            %sum_17 = arith.addi %prod_7, %sum_16 : index
            %w_2 = vector.transfer_read %weights[%sum_17, %c0, %c0], %s_1 {in_bounds = [true, true]} : memref<9x8x4xbf16>, vector<8x4xbf16>
            %sum_18 = arith.addi %j, %c3 : index
            %prod_8 = arith.muli %d, %c4 : index
            %sum_19 = arith.addi %prod_8, %sum_18 : index
            %w_3 = vector.transfer_read %weights[%sum_19, %c0, %c0], %s_1 {in_bounds = [true, true]} : memref<9x8x4xbf16>, vector<8x4xbf16>
            %acc_1 = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %x, %w, %carry : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
            %acc_2 = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %x, %w_1, %carry_1 : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
            %acc_3 = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %x, %w_2, %carry_2 : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
            %acc_4 = vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %x, %w_3, %carry_3 : vector<4x8xbf16>, vector<8x4xbf16> into vector<4x4xf32>
            scf.yield %acc_1, %acc_2, %acc_3, %acc_4 : vector<4x4xf32>, vector<4x4xf32>, vector<4x4xf32>, vector<4x4xf32>
          }
          vector.transfer_write %loop#0, %acc[%sum_1, %c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<4x4x4xf32>
          vector.transfer_write %loop#1, %acc[%sum_3, %c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<4x4x4xf32>
          vector.transfer_write %loop#2, %acc[%sum_5, %c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<4x4x4xf32>
          vector.transfer_write %loop#3, %acc[%sum_7, %c0, %c0] {in_bounds = [true, true]} : vector<4x4xf32>, memref<4x4x4xf32>
        }
      }
      func.return
    }

    %program_0_2 = aie.core(%core_0_2) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_0_0(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_0_0(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_0_0(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_0_0(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_0_0(Consume, 1)
          }
          aie.objectfifo.release @c_0_0(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_0_3 = aie.core(%core_0_3) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_0_1(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_0_1(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_0_1(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_0_1(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_0_1(Consume, 1)
          }
          aie.objectfifo.release @c_0_1(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_0_4 = aie.core(%core_0_4) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_0_2(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_0_2(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_0_2(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_0_2(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_0_2(Consume, 1)
          }
          aie.objectfifo.release @c_0_2(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_0_5 = aie.core(%core_0_5) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_0_3(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_0_3(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_0_3(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_0_3(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_0_3(Consume, 1)
          }
          aie.objectfifo.release @c_0_3(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_1_2 = aie.core(%core_1_2) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_1_0(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_1_0(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_1_0(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_1_0(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_1_0(Consume, 1)
          }
          aie.objectfifo.release @c_1_0(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_1_3 = aie.core(%core_1_3) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_1_1(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_1_1(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_1_1(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_1_1(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_1_1(Consume, 1)
          }
          aie.objectfifo.release @c_1_1(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_1_4 = aie.core(%core_1_4) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_1_2(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_1_2(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_1_2(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_1_2(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_1_2(Consume, 1)
          }
          aie.objectfifo.release @c_1_2(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_1_5 = aie.core(%core_1_5) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_1_3(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_1_3(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_1_3(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_1_3(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_1_3(Consume, 1)
          }
          aie.objectfifo.release @c_1_3(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_2_2 = aie.core(%core_2_2) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_2_0(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_2_0(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_2_0(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_2_0(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_2_0(Consume, 1)
          }
          aie.objectfifo.release @c_2_0(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_2_3 = aie.core(%core_2_3) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_2_1(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_2_1(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_2_1(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_2_1(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_2_1(Consume, 1)
          }
          aie.objectfifo.release @c_2_1(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_2_4 = aie.core(%core_2_4) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_2_2(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_2_2(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_2_2(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_2_2(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_2_2(Consume, 1)
          }
          aie.objectfifo.release @c_2_2(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_2_5 = aie.core(%core_2_5) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_2_3(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_2_3(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_2_3(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_2_3(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_2_3(Consume, 1)
          }
          aie.objectfifo.release @c_2_3(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_3_2 = aie.core(%core_3_2) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_3_0(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_3_0(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_3_0(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_3_0(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_3_0(Consume, 1)
          }
          aie.objectfifo.release @c_3_0(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_3_3 = aie.core(%core_3_3) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_3_1(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_3_1(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_3_1(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_3_1(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_3_1(Consume, 1)
          }
          aie.objectfifo.release @c_3_1(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_3_4 = aie.core(%core_3_4) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_3_2(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_3_2(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_3_2(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_3_2(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_3_2(Consume, 1)
          }
          aie.objectfifo.release @c_3_2(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    %program_3_5 = aie.core(%core_3_5) {
      %forever = arith.constant 9223372036854775807 : index
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %run = %c0 to %forever step %c1 {
        scf.for %tile = %c0 to %c1 step %c1 {
          %c_view = aie.objectfifo.acquire @c_3_3(Produce, 1) : !aie.objectfifosubview<memref<4x4x4xf32>>
          %c = aie.objectfifo.subview.access %c_view[0] : !aie.objectfifosubview<memref<4x4x4xf32>> -> memref<4x4x4xf32>
          %b_view = aie.objectfifo.acquire @b_3_3(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
          %b = aie.objectfifo.subview.access %b_view[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
          func.call @start_with_bias(%b, %c) : (memref<9x8x4xbf16>, memref<4x4x4xf32>) -> ()
          %a_view = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
          %a = aie.objectfifo.subview.access %a_view[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
          func.call @multiply(%a, %b, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
          aie.objectfifo.release @a_0(Consume, 1)
          aie.objectfifo.release @b_3_3(Consume, 1)
          scf.for %chunk = %c0 to %c3 step %c1 {
            %b_view_1 = aie.objectfifo.acquire @b_3_3(Consume, 1) : !aie.objectfifosubview<memref<9x8x4xbf16>>
            %b_1 = aie.objectfifo.subview.access %b_view_1[0] : !aie.objectfifosubview<memref<9x8x4xbf16>> -> memref<9x8x4xbf16>
            %a_view_1 = aie.objectfifo.acquire @a_0(Consume, 1) : !aie.objectfifosubview<memref<2x4x8xbf16>>
            %a_1 = aie.objectfifo.subview.access %a_view_1[0] : !aie.objectfifosubview<memref<2x4x8xbf16>> -> memref<2x4x8xbf16>
            func.call @multiply(%a_1, %b_1, %c, %c0) : (memref<2x4x8xbf16>, memref<9x8x4xbf16>, memref<4x4x4xf32>, index) -> ()
            aie.objectfifo.release @a_0(Consume, 1)
            aie.objectfifo.release @b_3_3(Consume, 1)
          }
          aie.objectfifo.release @c_3_3(Produce, 1)
        }
      }
      aie.end
    } {stack_size = 1024 : i32}

    aie.runtime_sequence @linear_skinny(%a: memref<256xbf16>, %b: memref<18432xbf16>, %c: memref<1024xf32>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 4, 64][0, 64, 64, 1]) {metadata = @a_in_0, id = 0 : i64} : memref<256xbf16>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 4608][0, 0, 0, 1]) {metadata = @b_in_0, id = 1 : i64} : memref<18432xbf16>
      aiex.npu.dma_memcpy_nd(%c[0, 0, 0, 0][1, 4, 4, 16][256, 16, 256, 1]) {metadata = @c_out_0, id = 2 : i64, issue_token = true} : memref<1024xf32>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 4608][1, 1, 1, 4608][0, 0, 0, 1]) {metadata = @b_in_1, id = 1 : i64} : memref<18432xbf16>
      aiex.npu.dma_memcpy_nd(%c[0, 0, 0, 64][1, 4, 4, 16][256, 16, 256, 1]) {metadata = @c_out_1, id = 2 : i64, issue_token = true} : memref<1024xf32>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 9216][1, 1, 1, 4608][0, 0, 0, 1]) {metadata = @b_in_2, id = 1 : i64} : memref<18432xbf16>
      aiex.npu.dma_memcpy_nd(%c[0, 0, 0, 128][1, 4, 4, 16][256, 16, 256, 1]) {metadata = @c_out_2, id = 2 : i64, issue_token = true} : memref<1024xf32>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 13824][1, 1, 1, 4608][0, 0, 0, 1]) {metadata = @b_in_3, id = 1 : i64} : memref<18432xbf16>
      aiex.npu.dma_memcpy_nd(%c[0, 0, 0, 192][1, 4, 4, 16][256, 16, 256, 1]) {metadata = @c_out_3, id = 2 : i64, issue_token = true} : memref<1024xf32>
      aiex.npu.dma_wait {symbol = @c_out_0}
      aiex.npu.dma_wait {symbol = @c_out_1}
      aiex.npu.dma_wait {symbol = @c_out_2}
      aiex.npu.dma_wait {symbol = @c_out_3}
    }
  }
}
