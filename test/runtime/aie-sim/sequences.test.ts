/** Several runtime sequences of one design. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadDesign, simulate } from "../../../src/runtime/aie-sim/index.ts";

const range = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

test("several sequences run on one design: one of them, or each on what the one before has left", () => {
  // The core counts the elements that it has passed on, over all runs.
  const text = `module { aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @in(%s, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @out(%c, {%s}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    %seen = aie.buffer(%c) {sym_name = "seen"} : memref<1xi32> = dense<0>
    %core = aie.core(%c) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %k1 = arith.constant 1 : i32
      %forever = arith.constant 1000000 : index
      scf.for %t = %c0 to %forever step %c1 {
        %vi = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
        %i = aie.objectfifo.subview.access %vi[0] : !aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>
        %vo = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<4xi32>>
        %o = aie.objectfifo.subview.access %vo[0] : !aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>
        %n = memref.load %seen[%c0] : memref<1xi32>
        %more = arith.addi %n, %k1 : i32
        memref.store %more, %seen[%c0] : memref<1xi32>
        %c4 = arith.constant 4 : index
        scf.for %j = %c0 to %c4 step %c1 {
          %x = memref.load %i[%j] : memref<4xi32>
          %y = arith.addi %x, %more : i32
          memref.store %y, %o[%j] : memref<4xi32>
        }
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @out(Produce, 1)
      }
      aie.end
    }
    ${[4, 8]
      .map(
        (n) => `aie.runtime_sequence @of_${n}(%x: memref<${n}xi32>, %y: memref<${n}xi32>) {
      aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, ${n}][0, 0, 0, 1]) {metadata = @in, id = 0 : i64} : memref<${n}xi32>
      aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, ${n}][0, 0, 0, 1]) {metadata = @out, id = 1 : i64, issue_token = true} : memref<${n}xi32>
      aiex.npu.dma_wait {symbol = @out}
    }`,
      )
      .join("\n")}
  } }`;
  const design = loadDesign(text, { file: "sequences.mlir" });
  const [four, eight] = [new Int32Array(4), new Int32Array(8)];
  simulate(design, [range(4), four]);
  simulate(design, [range(8), eight], { sequence: "of_8" });
  assert.equal([[...four], [...eight]], [[1, 2, 3, 4], [1, 2, 3, 4, 6, 7, 8, 9]]); // biome-ignore format: two results
  const one = simulate(design, [range(4), four]);
  const both = simulate(design, [range(8), eight, range(4), four], { sequence: ["of_8", "of_4"] });
  assert.equal([...four], [3, 4, 5, 6]);
  assert.ok(both.seconds > 2 * (one.seconds - one.cycles / 1e9), "a dispatch each");
  assert.throws(
    () => simulate(design, [], { sequence: "of_2" }),
    /the design: has no runtime sequence @of_2\n {2}try: @of_4, @of_8/,
  );
});

test.run();
