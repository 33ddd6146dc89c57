/** Several jobs of the vendor's compiler at a time, with progress. */
import { runJob } from "./run-job.ts";
import type { Job, JobResult } from "./types.ts";

/**
 * @param processes how many run at the same time
 * @param onStep is told at least once a second, because a graph can take minutes
 * @throws what the first job that fails throws; the others are then ended
 */
export async function runJobs(
  jobs: readonly Job[],
  processes: number,
  onStep: (text: string) => void,
): Promise<JobResult[]> {
  const failed = new AbortController();
  const doing = new Map<Job, string>();
  const started = performance.now();
  const show = () => {
    const seconds = Math.round((performance.now() - started) / 1000);
    if (doing.size > 0) onStep(`Qualcomm's compiler: ${[...doing.values()].join("; ")} (${seconds} s)`);
  };
  const clock = setInterval(show, 1000);
  const results = new Map<Job, JobResult>();
  const queue = [...jobs];
  const lane = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) {
      const current = job;
      results.set(
        current,
        await runJob(current, {
          signal: failed.signal,
          onWork: (work, graph) => {
            const at = current.graphs.findIndex((g) => g.name === graph) + 1;
            const of = graph === undefined ? "" : ` ${graph}, ${at} of ${current.graphs.length}`;
            doing.set(current, `${work === "compiling" && current.binary === undefined ? "costing" : work}${of}`);
            show();
          },
        }).finally(() => doing.delete(current)),
      );
    }
  };
  try {
    await Promise.all(
      Array.from({ length: Math.min(processes, jobs.length) }, async () => {
        try {
          await lane();
        } catch (e) {
          failed.abort(e);
          throw e;
        }
      }),
    );
    // In the order of the jobs, which end in another.
    return jobs.map((job) => results.get(job)!);
  } finally {
    clearInterval(clock);
  }
}
