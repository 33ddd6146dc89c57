/** Every op that a core may use, before MLIR's own tools: a core applies one after the other to the same operands. */
import { test } from "uvu";
import { loadDesign } from "../../../src/runtime/aie-sim/index.ts";
import { bytesOf } from "../../../src/runtime/aie-sim/mlir/type.ts";
import { haveMlir } from "../../support/mlir-tools.ts";
import { compare, noise } from "./mlir-core.ts";

const here = haveMlir() ? test : test.skip;

/** Lines that make `%r` of `%x` and `%y`, all of type `T`. */
interface Kind {
  readonly element: string;
  readonly lanes: number;
  readonly snippets: readonly string[];
}

const unary = (op: string) => `%r = ${op} %x : T`;
const binary = (op: string) => `%r = ${op} %x, %y : T`;
const choose = (compare: string) => `%m = ${compare}, %x, %y : T\n%r = arith.select %m, %x, %y : vector<Lxi1>, T`;
const scalar = (lines: string) =>
  `%s = vector.extract %x[3] : E from T\n%u = vector.extract %y[5] : E from T\n${lines}\n%r = vector.broadcast %v : E to T`;

const moves = [
  "%q = vector.shape_cast %x : T to vector<4xQxE>\n%t = vector.transpose %q, [1, 0] : vector<4xQxE> to vector<Qx4xE>\n%r = vector.shape_cast %t : vector<Qx4xE> to T",
  "%e = vector.extract %x[2] : E from T\n%r = vector.insert %e, %y[7] : E into T",
  "%q = vector.shape_cast %x : T to vector<4xQxE>\n%e = vector.extract %q[1] : vector<QxE> from vector<4xQxE>\n%z = vector.shape_cast %y : T to vector<4xQxE>\n%i = vector.insert %e, %z[3] : vector<QxE> into vector<4xQxE>\n%r = vector.shape_cast %i : vector<4xQxE> to T",
  "%e = vector.extract_strided_slice %x {offsets = [4], sizes = [4], strides = [1]} : T to vector<4xE>\n%r = vector.insert_strided_slice %e, %y {offsets = [8], strides = [1]} : vector<4xE> into T",
  "%e = vector.extract_strided_slice %x {offsets = [2], sizes = [4], strides = [1]} : T to vector<4xE>\n%b = vector.broadcast %e : vector<4xE> to vector<Qx4xE>\n%r = vector.shape_cast %b : vector<Qx4xE> to T",
];
const even = "[SHUFFLE]";

const kinds: Readonly<Record<string, Kind>> = {
  bf16: {
    element: "bf16",
    lanes: 16,
    snippets: [
      ...[
        "arith.addf",
        "arith.subf",
        "arith.mulf",
        "arith.divf",
        "arith.maximumf",
        "arith.minimumf",
        "arith.maxnumf",
        "arith.minnumf",
      ].map(binary),
      ...["arith.negf", "math.exp", "math.absf", "math.tanh", "math.floor", "math.ceil"].map(unary),
      "%a = math.absf %x : T\n%r = math.rsqrt %a : T",
      "%a = math.absf %x : T\n%r = math.sqrt %a : T",
      ...["oeq", "ogt", "olt", "ole", "une", "uge"].map((p) => choose(`arith.cmpf ${p}`)),
      "%a = arith.extf %x : T to vector<Lxf32>\n%b = arith.extf %y : T to vector<Lxf32>\n%c = arith.mulf %a, %b : vector<Lxf32>\n%d = arith.addf %c, %a : vector<Lxf32>\n%r = arith.truncf %d : vector<Lxf32> to T",
      "%r = vector.fma %x, %y, %x : T",
      scalar("%v = vector.reduction <add>, %x : T into E"),
      scalar("%v = vector.reduction <add>, %x, %u : T into E"),
      scalar("%v = vector.reduction <maximumf>, %x : T into E"),
      scalar("%v = arith.mulf %s, %u : E"),
      scalar("%m = arith.cmpf ogt, %s, %u : E\n%v = arith.select %m, %s, %u : E"),
      scalar(
        "%m = arith.cmpf ogt, %s, %u : E\n%v = scf.if %m -> (E) {\n%w = arith.addf %s, %u : E\nscf.yield %w : E\n} else {\nscf.yield %u : E\n}",
      ),
      `%r = vector.shuffle %x, %y ${even} : T, T`,
      "%b = vector.bitcast %x : T to vector<Lxi16>\n%o = arith.constant dense<1> : vector<Lxi16>\n%c = arith.ori %b, %o : vector<Lxi16>\n%r = vector.bitcast %c : vector<Lxi16> to T",
      ...moves,
    ],
  },
  f32: {
    element: "f32",
    lanes: 16,
    snippets: [
      ...["arith.addf", "arith.subf", "arith.mulf", "arith.divf", "arith.maximumf"].map(binary),
      unary("arith.negf"),
      "%i = arith.fptosi %x : T to vector<Lxi32>\n%r = arith.sitofp %i : vector<Lxi32> to T",
      "%b = arith.truncf %x : T to vector<Lxbf16>\n%r = arith.extf %b : vector<Lxbf16> to T",
      scalar("%v = vector.reduction <add>, %x : T into E"),
      scalar("%v = arith.divf %s, %u : E"),
      scalar("%a = math.absf %s : E\n%v = math.rsqrt %a : E"),
      "%q = vector.shape_cast %x : T to vector<4x4xE>\n%o = arith.constant dense<0.5> : vector<4xE>\n%d = vector.multi_reduction <add>, %q, %o [1] : vector<4x4xE> to vector<4xE>\n%b = vector.broadcast %d : vector<4xE> to vector<4x4xE>\n%r = vector.shape_cast %b : vector<4x4xE> to T",
      "%b = vector.bitcast %x : T to vector<Lxi32>\n%k = arith.constant dense<2129858560> : vector<Lxi32>\n%c = arith.subi %k, %b : vector<Lxi32>\n%r = vector.bitcast %c : vector<Lxi32> to T",
      ...moves,
    ],
  },
  i32: {
    element: "i32",
    lanes: 16,
    snippets: [
      ...["addi", "subi", "muli", "maxsi", "minsi", "maxui", "minui", "andi", "ori", "xori"].map((n) =>
        binary(`arith.${n}`),
      ),
      ...["shli", "shrsi", "shrui"].map((n) => `%k = arith.constant dense<5> : T\n%r = arith.${n} %x, %k : T`),
      ...["eq", "ne", "slt", "sge", "ult", "uge"].map((p) => choose(`arith.cmpi ${p}`)),
      "%b = arith.trunci %x : T to vector<Lxi8>\n%r = arith.extsi %b : vector<Lxi8> to T",
      "%b = arith.trunci %x : T to vector<Lxi16>\n%r = arith.extui %b : vector<Lxi16> to T",
      ...["divsi", "remsi", "divui", "remui", "floordivsi", "ceildivsi"].map((n) =>
        scalar(`%k = arith.constant 37 : E\n%v = arith.${n} %s, %k : E`),
      ),
      scalar("%v = vector.reduction <add>, %x : T into E"),
      scalar("%v = vector.reduction <maxsi>, %x : T into E"),
      scalar(
        "%i = arith.index_cast %s : E to index\n%k = arith.constant 3 : index\n%j = arith.muli %i, %k : index\n%v = arith.index_cast %j : index to E",
      ),
      // Two values that a loop carries change places.
      "%p:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %b = %y) -> (T, T) {\n%n = arith.addi %a, %b : T\nscf.yield %b, %n : T, T\n}\n%r = arith.subi %p#1, %p#0 : T",
      "%p = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> (T) {\n%n = arith.addi %a, %y : T\n%o = arith.muli %a, %n : T\nscf.yield %o : T\n}\n%r = arith.addi %p, %x : T",
      scalar(
        "%p = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %s) -> (E) {\n%j = arith.index_cast %i : index to E\n%n = arith.addi %a, %j : E\nscf.yield %n : E\n}\n%v = arith.xori %p, %u : E",
      ),
      "%r = func.call @twice(%x) : (T) -> T",
      ...moves,
    ],
  },
  i8: {
    element: "i8",
    lanes: 64,
    snippets: [
      ...["addi", "subi", "muli", "maxsi", "minsi", "andi"].map((n) => binary(`arith.${n}`)),
      "%a = arith.extsi %x : T to vector<Lxi32>\n%b = arith.extsi %y : T to vector<Lxi32>\n%c = arith.muli %a, %b : vector<Lxi32>\n%k = arith.constant dense<4> : vector<Lxi32>\n%d = arith.shrsi %c, %k : vector<Lxi32>\n%r = arith.trunci %d : vector<Lxi32> to T",
      scalar("%v = vector.reduction <maxsi>, %x : T into E"),
      "%b = vector.bitcast %x : T to vector<16xi32>\n%k = arith.constant dense<3> : vector<16xi32>\n%c = arith.shrui %b, %k : vector<16xi32>\n%r = vector.bitcast %c : vector<16xi32> to T",
      ...moves,
    ],
  },
};

function designOf({ element, lanes, snippets }: Kind): string {
  const T = `vector<${lanes}x${element}>`;
  const input = `memref<${lanes}x${element}>`;
  const output = `memref<${snippets.length}x${lanes}x${element}>`;
  const zero = element.startsWith("i") ? "0" : "0.0";
  const shuffle = `[${Array.from({ length: lanes }, (_, i) => (i * 7 + 3) % (2 * lanes)).join(", ")}]`;
  const fill = (text: string, i: number) =>
    text
      .replaceAll("[SHUFFLE]", shuffle)
      .replaceAll(/\bT\b/g, T)
      .replaceAll("vector<L", `vector<${lanes}`)
      .replaceAll(/\bQx/g, `${lanes / 4}x`)
      .replaceAll("xQx", `x${lanes / 4}x`)
      .replaceAll("vector<Qx", `vector<${lanes / 4}x`)
      .replaceAll(/xE>/g, `x${element}>`)
      .replaceAll(/\bE\b/g, element)
      .replaceAll(/%(?!x\b|y\b|c\d\b)(\w+)/g, `%$1_${i}`);
  const acquire = (name: string, side: string, type: string) =>
    `%v${name} = aie.objectfifo.acquire @${name}(${side}, 1) : !aie.objectfifosubview<${type}>\n%m${name} = aie.objectfifo.subview.access %v${name}[0] : !aie.objectfifosubview<${type}> -> ${type}`;
  const half = T.replaceAll("x", "x");
  return `module { aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, 2 : i32) : !aie.objectfifo<${input}>
    aie.objectfifo @b(%s, {%c}, 2 : i32) : !aie.objectfifo<${input}>
    aie.objectfifo @o(%c, {%s}, 1 : i32) : !aie.objectfifo<${output}>
    ${element === "i32" ? `func.func @twice(%z: ${half}) -> ${half} {\n %w = arith.addi %z, %z : ${half}\n return %w : ${half}\n }` : ""}
    %core = aie.core(%c) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %pad = arith.constant ${zero} : ${element}
      ${acquire("a", "Consume", input)}
      ${acquire("b", "Consume", input)}
      ${acquire("o", "Produce", output)}
      %x = vector.transfer_read %ma[%c0], %pad {in_bounds = [true]} : ${input}, ${T}
      %y = vector.load %mb[%c0] : ${input}, ${T}
      ${snippets
        .map(
          (text, i) =>
            `${fill(text, i)}\n%at_${i} = arith.constant ${i} : index\nvector.transfer_write %r_${i}, %mo[%at_${i}, %c0] {in_bounds = [true]} : ${T}, ${output}`,
        )
        .join("\n")}
      aie.objectfifo.release @a(Consume, 1)
      aie.objectfifo.release @b(Consume, 1)
      aie.objectfifo.release @o(Produce, 1)
      aie.end
    } {stack_size = 4096 : i32}
    aie.runtime_sequence(%A: ${input}, %B: ${input}, %O: ${output}) {
      aiex.npu.dma_memcpy_nd(%A[0, 0, 0, 0][1, 1, 1, ${lanes}][0, 0, 0, 1]) {metadata = @a, id = 0 : i64} : ${input}
      aiex.npu.dma_memcpy_nd(%B[0, 0, 0, 0][1, 1, 1, ${lanes}][0, 0, 0, 1]) {metadata = @b, id = 1 : i64} : ${input}
      aiex.npu.dma_memcpy_nd(%O[0, 0, 0, 0][1, 1, 1, ${snippets.length * lanes}][0, 0, 0, 1]) {metadata = @o, id = 2 : i64, issue_token = true} : ${output}
      aiex.npu.dma_wait {symbol = @o}
    }
  } }`;
}

for (const [name, kind] of Object.entries(kinds))
  here(`${kind.snippets.length} programs on ${kind.lanes} x ${name}`, () => {
    const text = designOf(kind);
    const design = loadDesign(text, { file: `${name}.mlir` });
    compare(
      design,
      design.host.args.map(({ type }, i) => noise(bytesOf(type), i + 1, name)),
    );
  });

test.run();
