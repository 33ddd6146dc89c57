/**
 * Which vector ops upstream's `convert-vector-to-aievec` maps onto AIE2. What it refuses is an error here; what it turns into
 * scalar code, or what nobody has shown to map, is a warning.
 */
import type { Loc } from "../../ir/error.ts";
import { iteration } from "./compile/contract.ts";
import { type Device, failAt } from "./design.ts";
import { type Op, walk } from "./mlir/op.ts";
import { count, elementOf, showType, type Type } from "./mlir/type.ts";

export interface Warning {
  readonly loc: Loc;
  readonly subject: string;
  readonly reason: string;
}

type Verdict = "maps" | "scalar" | "refused";

/** Lanes that are known to map, by element type. */
const widths: Readonly<Record<string, readonly number[]>> = {
  bf16: [16, 32],
  f32: [16, 32],
  i8: [32, 64],
  i16: [16, 32],
  i32: [16, 32],
};

const scalar = /^(arith\.divf|math\.(tanh|sqrt|absf|erf|log|exp2|floor|ceil))$/;

function verdict(op: Op, type: Type): Verdict {
  const element = showType(elementOf(type));
  const lanes = type.kind === "vector" ? count(type.shape) : 1;
  if (scalar.test(op.name)) return "scalar";
  if (op.name === "math.rsqrt") return element === "f32" ? "scalar" : lanes === 16 ? "maps" : "refused";
  if (op.name === "math.exp") return element === "f32" ? "scalar" : "maps";
  if (element !== "f32") return "maps";
  if (op.name === "vector.fma" || op.name === "math.fma" || op.name === "arith.select") return "refused";
  if (op.name === "vector.reduction" && op.attrs.kind?.kind === "dialect")
    return op.attrs.kind.text.includes("add") ? "maps" : "refused";
  return "maps";
}

const laneWise = /^(arith\.(?!constant)|math\.|vector\.(fma|reduction))/;

/** @throws HeddleError naming core and op for what upstream refuses. */
export function warnings(device: Device): Warning[] {
  const found: Warning[] = [];
  for (const core of device.cores) {
    const subject = `core on tile ${core.tile.name}`;
    for (const op of walk(core.op.regions[0]!)) {
      if (op.name === "vector.contract") checkContraction(device, op, subject);
      const type = op.operands.find((o) => o.type.kind === "vector")?.type;
      if (!type || !laneWise.test(op.name)) continue;
      const what = `${op.name} on ${showType(type)}`;
      const mapped = verdict(op, type);
      if (mapped === "refused")
        failAt(
          op.loc,
          subject,
          `${what} is refused by upstream's conversion to the vector unit`,
          "16 x bf16, or another op",
        );
      if (mapped === "scalar")
        found.push({ loc: op.loc, subject, reason: `${what} is computed lane by lane on the scalar unit` });
      else if (
        type.kind === "vector" &&
        !widths[showType(type.element)]?.includes(count(type.shape)) &&
        showType(type.element) !== "i1"
      )
        found.push({ loc: op.loc, subject, reason: `${what}: not a width that is known to map onto the vector unit` });
    }
  }
  return found;
}

/** The matrix unit has one shape for each pair of types. */
function checkContraction(device: Device, op: Op, subject: string): void {
  const [a, b] = op.operands.map((o) => showType(elementOf(o.type)));
  const shape = device.machine.matmul[`${a}x${b}`];
  const { sizes, maps } = iteration({ fail: (_, reason) => failAt(op.loc, subject, reason) }, op);
  const known = shape && `${shape[0]} x ${shape[1]} x ${shape[2]}`;
  const [m, k] = maps[0]!;
  const plain =
    maps[0]!.length === 2 &&
    maps[1]!.length === 2 &&
    maps[1]![0] === k &&
    maps[2]![0] === m &&
    maps[2]![1] === maps[1]![1];
  const is = plain
    ? `${sizes[m!]} x ${sizes[k!]} x ${sizes[maps[1]![1]!]}`
    : "another contraction than (m, k) by (k, n)";
  if (is !== known)
    failAt(
      op.loc,
      subject,
      `vector.contract of ${a} by ${b} is ${is}; the matrix unit has ${known ?? "none for these types"}`,
    );
}
