/** What `npm run compile` prints of the context binary: costs by Qualcomm's compiler and simulator. */
import type { Manifest } from "../../codegen/manifest.ts";
import { finalizeLevel } from "../../htp/index.ts";
import { bytes, duration, table } from "./format.ts";
import { isQuantized } from "./quantize-request.ts";

type Costed = Pick<Manifest, "context" | "entries" | "precision" | "blockSize">;

/** Nothing for a build without. @param part its name where it is one of several. */
export function npuText(manifest: Costed, part?: string): string {
  const { context, entries, precision } = manifest;
  if (!context) return "";
  const simulated = entries.find((e) => e.npu?.simulated)?.npu?.simulated;
  const costs = costTable(entries, part ?? "on the NPU");
  const { soc, library, vtcm, weightSharing } = context;
  const levels = [...new Set(entries.map((e) => finalizeLevel(e, manifest)))].sort();
  const sources = simulated
    ? `bytes vendor-simulated for SoC ${soc}, times vendor-simulated for SoC ${simulated.soc} (same architecture), compile times measured`
    : `bytes vendor-simulated for SoC ${soc}, compile times measured`;
  const uncosted = entries.filter((e) => (e.npu?.simulated?.uncosted.length ?? 0) > 0).map((e) => e.name);
  const note =
    uncosted.length > 0 ? `the simulator has no cost for some ops of ${uncosted.join(", ")}: times are too low\n` : "";
  const halves = isQuantized(precision) ? entries.filter((e) => !e.fixedPoint).map((e) => e.name) : [];
  const slow =
    halves.length > 0
      ? `some values of ${halves.join(", ")} are computed in f16, and each way there and back costs time: their ops have no form in fixed point, or nobody knows their range\n`
      : "";
  return (
    `${costs}${sources}\n${note}${slow}` +
    `${part ? `${part}/` : ""}${context.file}: ${bytes(context.bytes)} for SoC ${soc}, ${entries.length} graphs${weightSharing ? " over shared weights" : ""}, ` +
    `level ${levels.join(" and ")}, ${vtcm} MB VTCM, by ${library.provider} ${library.buildId}\n\n`
  );
}

/** @param title of the first column */
function costTable(entries: Manifest["entries"], title: string): string {
  const simulated = entries.some((e) => e.npu?.simulated);
  return table(
    [
      { title },
      { title: "DDR read", align: "right" },
      { title: "written", align: "right" },
      { title: "spilled", align: "right" },
      ...(simulated
        ? [
            { title: "time", align: "right" as const },
            { title: "cycles", align: "right" as const },
            { title: "of DDR bound", align: "right" as const },
          ]
        : []),
      { title: "compiled in", align: "right" },
    ],
    entries.map(({ name, npu }) => {
      const { ddr, simulated: s } = npu ?? {};
      return [
        name,
        ...(ddr ? [bytes(ddr.read), bytes(ddr.written), bytes(ddr.spilled)] : ["-", "-", "-"]),
        ...(simulated
          ? s
            ? [duration(s.us / 1000), s.cycles, `${Math.round(100 * s.shareOfBound)}%`]
            : ["-", "-", "-"]
          : []),
        npu ? duration(npu.finalizeMs.value) : "-",
      ];
    }),
  );
}

/** Of a program in parts: all of it, then each part. */
export const partsNpuText = (
  { entries }: Pick<Manifest, "entries">,
  parts: readonly { readonly folder: string; readonly manifest: Costed }[],
): string =>
  parts.every((p) => p.manifest.context)
    ? `${costTable(entries, "all parts, one after the other")}${parts.map((p) => npuText(p.manifest, p.folder)).join("")}`
    : "";
