/** How tokens are chosen, and what ends a text, in words. */
import type { Sampling } from "../../weights/sampling.ts";

/** GGUF has settings in f32. */
const figure = (x: number): number => Number(x.toPrecision(6));

/** @param seed left out of what a build says, where nothing is chosen yet. */
export function samplingText({ temperature, topK, topP, repetitionPenalty }: Sampling, seed?: number): string {
  if (temperature === 0) return "takes the most likely token";
  const settings = [
    `temperature ${figure(temperature)}`,
    ...(topK ? [`top-k ${topK}`] : []),
    ...(topP !== undefined && topP < 1 ? [`top-p ${figure(topP)}`] : []),
    ...(repetitionPenalty !== undefined && repetitionPenalty !== 1
      ? [`repetition penalty ${figure(repetitionPenalty)}`]
      : []),
    ...(seed === undefined ? [] : [`seed ${seed}`]),
  ];
  return `samples with ${settings.join(", ")}`;
}

export const endsText = (eos: readonly number[] = []): string =>
  eos.length === 0
    ? "nothing ends a text early"
    : `${eos.length > 1 ? "tokens" : "token"} ${eos.join(", ")} ${eos.length > 1 ? "end" : "ends"} a text`;
