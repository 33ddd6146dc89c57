/** Fixed point that the reference backend or the graph does not take, and what they say. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as ir from "../../src/ir/index.ts";
import { openBackend } from "../../src/runtime/libraries.ts";

test("caches and what is appended to them have one encoding", () => {
  const cache = ir.inputOp.build([], { shape: [2, 8], dtype: "i8", scale: 0.5, offset: 0 }, { name: "cache" });
  const slice = ir.quantize(ir.input("x", "f32", 2, 1), { dtype: "i8", scale: 0.25, offset: 0 });
  assert.throws(
    () => ir.kvAppend(cache, slice, ir.input("position", "i32", 1), { axis: 1 }),
    /encodings differ: cache i8\[2x8\] quant\(scales=\[0.5\], offsets=\[0\]\), slice .*; requantize one of them/,
  );
});

/** A layer in fixed point as its JSON says it, with one thing changed. */
function refusal(change: (tensors: Record<string, Record<string, unknown>>) => void, inner = 2): string {
  const fixed = (dataType: string, dims: number[], quantize: object) => ({ type: "NATIVE", dataType, dims, quantize });
  const one = { encoding: "SCALE_OFFSET", scale: 0.5, offset: 0 };
  const tensors: Record<string, Record<string, unknown>> = {
    x: { ...fixed("UFIXED_POINT_8", [1, inner], one), type: "APP_WRITE" },
    w: {
      ...fixed("SFIXED_POINT_8", [2, inner], { encoding: "AXIS_SCALE_OFFSET", axis: 0, scales: [1, 1] }),
      type: "STATIC",
      inline: Array(2 * inner).fill(7),
    },
    b: { type: "STATIC", dataType: "INT_32", dims: [2], inline: [1, 2] },
    y: { ...fixed("UFIXED_POINT_16", [1, 2], one), type: "APP_READ" },
  };
  change(tensors);
  const backend = openBackend("reference");
  const context = backend.createContext();
  try {
    context.addGraph({
      format: "heddle.qnn/1",
      graph: "refused",
      weights: "weights.bin",
      inputs: ["x"],
      outputs: ["y"],
      tensors: Object.entries(tensors).map(([name, t]) => ({ name, ...t })),
      nodes: [
        {
          name: "fc",
          package: "qti.aisw",
          type: "FullyConnected",
          params: [],
          inputs: ["x", "w", "b"],
          outputs: ["y"],
        },
      ],
    });
    return "taken";
  } catch (e) {
    return (e as Error).message;
  } finally {
    context.close();
    backend.close();
  }
}

test("what fixed point cannot compute is refused with the tensor and the reason", () => {
  assert.is(
    refusal(() => {}),
    "taken",
  );
  const cases: [change: Parameters<typeof refusal>[0], says: RegExp][] = [
    [(t) => Reflect.deleteProperty(t.x!, "quantize"), /'x' UFIXED_POINT_8\[1, 2\]: expected one scale and offset/],
    [(t) => (t.y!.quantize = { encoding: "SCALE_OFFSET", scale: 1, offset: 5 }), /offset 5 puts zero outside its type/],
    [
      (t) => (t.w!.quantize = { encoding: "SCALE_OFFSET", scale: 1, offset: 0 }),
      /'w' .* expected one scale for each row/,
    ],
    [
      (t) => (t.w!.quantize = { encoding: "AXIS_SCALE_OFFSET", axis: 1, scales: [1, 1] }),
      /'w' .* expected one scale for each row/,
    ],
    [
      (t) => (t.w!.quantize = { encoding: "AXIS_SCALE_OFFSET", axis: 0, scales: [1, 1], offsets: [0, 1] }),
      /'w' .* the scale of row 1 must be positive and finite, its offset 0/,
    ],
    [(t) => (t.w!.dataType = "UFIXED_POINT_8"), /'w' .* expected SFIXED_POINT_8, got UFIXED_POINT_8/],
    [(t) => (t.b!.dataType = "FLOAT_32"), /'b' .* expected SFIXED_POINT_32 or INT_32, got FLOAT_32/],
    [(t) => Object.assign(t.b!, { dims: [3], inline: [1, 2, 3] }), /'b' .* expected shape \[2\]/],
    [(t) => Object.assign(t.y!, { dims: [2, 1] }), /'y' .* expected shape \[1, 2\]/],
  ];
  for (const [change, says] of cases) assert.match(refusal(change), says);
});

test("scales of blocks that the kernels could not sum exactly are refused", () => {
  const inBlocks = (blocks: number, blockScales: readonly number[], bitwidth = 4) =>
    refusal((t) => {
      t.w!.quantize = { encoding: "BLOCKWISE_EXPANSION", axis: 0, bitwidth, scales: [1, 1], blocks, blockScales };
    }, 64);
  assert.is(inBlocks(2, [1, 2, 3, 16]), "taken");
  assert.match(inBlocks(4, Array(8).fill(1)), /'w' .* blocks must be of 32 inputs or a multiple, not 16/);
  assert.match(
    inBlocks(2, [1, 2, 3, 19], 5),
    /'w' .* value 96 times the scale of its block is 133, more than 8 bits hold/,
  );
  assert.match(inBlocks(2, [1, 2, 3, 17]), /blockScales: the scale of block 3 is 17, expected 1 to 16/);
  assert.match(inBlocks(3, Array(6).fill(1)), /blocks: expected a divisor of the 64 values of a channel/);
  assert.match(inBlocks(2, [1, 2, 3]), /blockScales: expected one scale per block: 4/);
});

test.run();
