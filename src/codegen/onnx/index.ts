/** ONNX: export of any entry point, and import of what was exported. */
export { cachesKey, encodeOnnx, opset, writeOnnx } from "./export.ts";
export { decodeOnnx, type ImportedModel, readOnnx } from "./import.ts";
export { type OnnxPlan, planOnnx } from "./plan.ts";
