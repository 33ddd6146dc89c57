/** What designs may use besides what our own kernels do, one small design each. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadDesign, type Report, simulate } from "../../../src/runtime/aie-sim/index.ts";

type Options = Parameters<typeof simulate>[2];

/** A design around some ops of the device; the sequence sends %x whole to @in and fetches %y whole from @out. */
function run(body: string, x: Int32Array, y: Int32Array, options?: Options): Report {
  const copy = (value: string, n: number, fifo: string, id: number, token = "") =>
    `aiex.npu.dma_memcpy_nd(%${value}[0, 0, 0, 0][1, 1, 1, ${n}][0, 0, 0, 1]) {metadata = @${fifo}, id = ${id} : i64${token}} : memref<${n}xi32>`;
  const text = `module { aie.device(npu1) {
    %s = aie.tile(0, 0)
    %m = aie.tile(0, 1)
    %c = aie.tile(0, 2)
    %n = aie.tile(0, 3)
    %d = aie.tile(0, 4)
    ${body}
    aie.runtime_sequence(%x: memref<${x.length}xi32>, %y: memref<${y.length}xi32>) {
      ${copy("x", x.length, "in", 0)}
      ${copy("y", y.length, "out", 1, ", issue_token = true")}
      aiex.npu.dma_wait {symbol = @out}
    } } }`;
  return simulate(loadDesign(text, { file: "feature.mlir" }), [x, y], options);
}

const range = (n: number, from = 0): Int32Array => Int32Array.from({ length: n }, (_, i) => i + from);

/** A core that hands on `times` elements, each made of \`rounds\` ones that it takes, added up. */
function adder(tile: string, from: string, to: string, n: number, times: number, rounds = 1): string {
  const element = (fifo: string, side: string, value: string) =>
    `%v${value} = aie.objectfifo.acquire @${fifo}(${side}, 1) : !aie.objectfifosubview<memref<${n}xi32>>
     %${value} = aie.objectfifo.subview.access %v${value}[0] : !aie.objectfifosubview<memref<${n}xi32>> -> memref<${n}xi32>`;
  return `%core_${tile} = aie.core(%${tile}) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %size = arith.constant ${n} : index
    %times = arith.constant ${times} : index
    %rounds = arith.constant ${rounds} : index
    %zero = arith.constant 0 : i32
    scf.for %t = %c0 to %times step %c1 {
      ${element(to, "Produce", "o")}
      scf.for %i = %c0 to %size step %c1 { memref.store %zero, %o[%i] : memref<${n}xi32> }
      scf.for %r = %c0 to %rounds step %c1 {
        ${element(from, "Consume", "i")}
        scf.for %i_ = %c0 to %size step %c1 {
          %a = memref.load %i[%i_] : memref<${n}xi32>
          %b = memref.load %o[%i_] : memref<${n}xi32>
          %sum = arith.addi %a, %b : i32
          memref.store %sum, %o[%i_] : memref<${n}xi32>
        }
        aie.objectfifo.release @${from}(Consume, 1)
      }
      aie.objectfifo.release @${to}(Produce, 1)
    }
    aie.end
  }`;
}

test("a receiver may scatter: rows become columns", () => {
  const y = new Int32Array(32);
  run(
    `aie.objectfifo @in(%s, {%c dimensionsFromStream [<size = 8, stride = 4>, <size = 4, stride = 1>]}, 1 : i32) : !aie.objectfifo<memref<32xi32>>
     aie.objectfifo @out(%c dimensionsToStream [<size = 4, stride = 1>, <size = 8, stride = 4>], {%s}, 1 : i32) : !aie.objectfifo<memref<32xi32>>
     ${adder("c", "in", "out", 32, 1)}`,
    range(32),
    y,
  );
  assert.equal(
    y,
    Int32Array.from({ length: 32 }, (_, i) => (i % 8) * 4 + Math.floor(i / 8)),
  );
});

test("a memory tile may send every element several times", () => {
  const y = new Int32Array(8);
  run(
    `aie.objectfifo @in(%s, {%m}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo @again(%m, {%c}, 2 : i32) {repeat_count = 3 : i32} : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo @out(%c, {%s}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo.link [@in] -> [@again] ([] [])
     ${adder("c", "again", "out", 4, 2, 3)}`,
    range(8, 1),
    y,
  );
  assert.equal([...y], [3, 6, 9, 12, 15, 18, 21, 24]);
});

test("parts are distributed and joined, here in another order", () => {
  const y = new Int32Array(16);
  run(
    `aie.objectfifo @in(%s, {%m}, 2 : i32) : !aie.objectfifo<memref<8xi32>>
     aie.objectfifo @a(%m, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo @b(%m, {%n}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo @p(%c, {%m}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo @q(%n, {%m}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo @out(%m, {%s}, 2 : i32) : !aie.objectfifo<memref<8xi32>>
     aie.objectfifo.link [@in] -> [@a, @b] ([] [0, 4])
     aie.objectfifo.link [@q, @p] -> [@out] ([0, 4] [])
     ${adder("c", "a", "p", 4, 2)}
     ${adder("n", "b", "q", 4, 2)}`,
    range(16),
    y,
  );
  assert.equal([...y], [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11]);
});

test("neighbours share memory: nothing is streamed between them, unless a DMA is asked for", () => {
  const design = (attrs: string) =>
    `aie.objectfifo @in(%s, {%c}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo @near(%c, {%n}, 2 : i32) ${attrs} : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo @out(%n, {%s}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
     ${adder("c", "in", "near", 4, 4)}
     ${adder("n", "near", "out", 4, 4)}`;
  for (const [attrs, streams] of [
    ["", ["@in", "@out"]],
    ["{via_DMA = true}", ["@in", "@near", "@out"]],
  ] as const) {
    const y = new Int32Array(16);
    const report = run(design(attrs), range(16), y);
    assert.equal(y, range(16));
    assert.equal(
      report.fifos.map((f) => f.name),
      streams,
    );
  }
});

test("DMA programs, locks and flows may be written out", () => {
  const y = new Int32Array(4);
  const program = (tile: string, direction: string, wait: string, give: string, buffer: string, range: string) =>
    `%mem_${tile} = aie.mem(%${tile}) {
      %go = aie.dma_start(${direction}, 1, ^bd, ^end)
    ^bd:
      aie.use_lock(%${wait}, AcquireGreaterEqual, 1)
      aie.dma_bd(%${buffer} : memref<4xi32>${range})
      aie.use_lock(%${give}, Release, 1)
      aie.next_bd ^bd
    ^end:
      aie.end
    }`;
  const move = (tile: string, from: string, to: string) =>
    `scf.for %i = %c0 to %c4 step %c1 {
      %v = memref.load %${from}[%i] : memref<4xi32>
      memref.store %v, %${to}[%i] : memref<4xi32>
    } // ${tile}`;
  const constants = "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n%c4 = arith.constant 4 : index";
  run(
    `aie.objectfifo @in(%s, {%c}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
     aie.objectfifo @out(%d, {%s}, 1 : i32) : !aie.objectfifo<memref<4xi32>>
     %from = aie.buffer(%c) {sym_name = "from"} : memref<4xi32>
     %to = aie.buffer(%d) {sym_name = "to"} : memref<4xi32>
     %from_free = aie.lock(%c, 14) {init = 1 : i32}
     %from_full = aie.lock(%c, 15) {init = 0 : i32}
     %to_free = aie.lock(%d) {init = 1 : i32}
     %to_full = aie.lock(%d) {init = 0 : i32}
     ${program("c", "MM2S", "from_full", "from_free", "from", ", 0, 4")}
     ${program("d", "S2MM", "to_free", "to_full", "to", " offset = 0 len = 4 sizes = [2, 2] strides = [1, 2]")}
     aie.flow(%c, DMA : 1, %d, DMA : 1)
     %sender = aie.core(%c) {
       ${constants}
       %v_ = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
       %a = aie.objectfifo.subview.access %v_[0] : !aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>
       aie.use_lock(%from_free, AcquireGreaterEqual, 1)
       ${move("c", "a", "from")}
       aie.use_lock(%from_full, Release, 1)
       aie.objectfifo.release @in(Consume, 1)
       aie.end
     }
     %receiver = aie.core(%d) {
       ${constants}
       %one = arith.constant 1 : i32
       %v_ = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<4xi32>>
       %a = aie.objectfifo.subview.access %v_[0] : !aie.objectfifosubview<memref<4xi32>> -> memref<4xi32>
       aie.use_lock(%to_full, AcquireGreaterEqual, %one)
       ${move("d", "to", "a")}
       aie.use_lock(%to_free, Release, 1)
       aie.objectfifo.release @out(Produce, 1)
       aie.end
     }`,
    range(4, 5),
    y,
  );
  assert.equal([...y], [5, 7, 6, 8]);
});

test("channels of the shim may be named without FIFOs", () => {
  const y = new Int32Array(24);
  const step = (label: string, next: string, direction: string, wait: string, give: string, rest: string) =>
    `${label}:
      %go_${direction} = aie.dma_start(${direction}, 0, ^${direction}, ${rest})
    ^${direction}:
      %one_${direction} = arith.constant 1 : i32
      aie.use_lock(%${wait}, AcquireGreaterEqual, %one_${direction})
      aie.dma_bd(%between : memref<8xi32> offset = 0 len = 8)
      aie.use_lock(%${give}, Release, %one_${direction})
      aie.next_bd ^${direction} // ${next}`;
  run(
    `%between = aie.buffer(%c) {sym_name = "between"} : memref<8xi32>
     %free = aie.lock(%c, 0) {init = 1 : i32, sym_name = "free"}
     %full = aie.lock(%c, 1) {init = 0 : i32, sym_name = "full"}
     aie.shim_dma_allocation @in (%s, MM2S, 0)
     aie.shim_dma_allocation @out (%s, S2MM, 0)
     aie.flow(%s, DMA : 0, %c, DMA : 0)
     aie.flow(%c, DMA : 0, %s, DMA : 0)
     %mem = aie.mem(%c) {
       ${step("^begin", "in", "S2MM", "free", "full", "^second")}
       ${step("^second", "out", "MM2S", "full", "free", "^end")}
     ^end:
       aie.end
     }`,
    range(24),
    y,
  );
  assert.equal(y, range(24));
});

test("floats become bf16 to the nearest even, or downwards as the hardware does when it is not told", () => {
  const round = (rounding: "nearest-even" | "floor"): number[] => {
    const x = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -8, 0.7);
    const y = new Int32Array(4);
    run(
      `aie.objectfifo @in(%s, {%c}, 1 : i32) : !aie.objectfifo<memref<4xf32>>
       aie.objectfifo @out(%c, {%s}, 1 : i32) : !aie.objectfifo<memref<4xf32>>
       %core = aie.core(%c) {
         %c0 = arith.constant 0 : index
         %v = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<4xf32>>
         %a = aie.objectfifo.subview.access %v[0] : !aie.objectfifosubview<memref<4xf32>> -> memref<4xf32>
         %w = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<4xf32>>
         %b = aie.objectfifo.subview.access %w[0] : !aie.objectfifosubview<memref<4xf32>> -> memref<4xf32>
         %p = vector.load %a[%c0] : memref<4xf32>, vector<4xf32>
         %q = arith.truncf %p : vector<4xf32> to vector<4xbf16>
         %r = arith.extf %q : vector<4xbf16> to vector<4xf32>
         vector.store %r, %b[%c0] : memref<4xf32>, vector<4xf32>
         aie.objectfifo.release @in(Consume, 1)
         aie.objectfifo.release @out(Produce, 1)
         aie.end
       }`,
      new Int32Array(x.buffer),
      y,
      { rounding },
    );
    return [...new Float32Array(y.buffer)];
  };
  assert.equal(round("nearest-even"), [1, 1 + 2 ** -6, -1, 0.69921875]);
  assert.equal(round("floor"), [1, 1 + 2 ** -7, -1 - 2 ** -7, 0.69921875]);
});

test("a stream moves four bytes in a cycle, and work takes its time", () => {
  const words = 8192;
  const y = new Int32Array(words);
  const waits: string[] = [];
  const report = run(
    `aie.objectfifo @in(%s, {%m}, 2 : i32) : !aie.objectfifo<memref<1024xi32>>
     aie.objectfifo @out(%m, {%s}, 2 : i32) : !aie.objectfifo<memref<1024xi32>>
     aie.objectfifo.link [@in] -> [@out] ([] [])`,
    range(words),
    y,
    { trace: (e) => void (e.waits && waits.push(`${e.actor}: ${e.waits}`)) },
  );
  assert.equal(y, range(words));
  assert.ok(report.cycles >= words + 1024 && report.cycles < 1.2 * (words + 1024), `${report.cycles} cycles`);
  assert.ok(report.seconds > 170e-6);
  assert.ok(
    waits.some((w) => /stream @out from tile \(0, 1\) to \(0, 0\): a full element of @out on tile \(0, 1\)/.test(w)),
    waits.join("\n"),
  );
});

test.run();
