/**
 * Measures one thing in a process of its own, so that peak memory is its own: `node --import tsx bench/worker.ts <task>` reads
 * the task as JSON and prints one JSON object.
 */
import { measureOnnxRuntime, type OnnxTask } from "./onnx-runtime.ts";
import { measureSession, type SessionTask } from "./session.ts";

export type Task = SessionTask | OnnxTask;

const task = JSON.parse(process.argv[2] ?? "{}") as Task;
const result = task.kind === "session" ? await measureSession(task) : await measureOnnxRuntime(task);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
