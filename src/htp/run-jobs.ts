/** Several jobs of the vendor's compiler at a time, with progress. */
import type { Work } from "./messages.ts";
import { runJob } from "./run-job.ts";
import type { Job, JobResult } from "./types.ts";

/**
 * @param processes how many run at the same time
 * @param onStep is told at least once a second, because a graph can take minutes
 * @returns results in the order of the jobs
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
  const run = (job: Job) =>
    runJob(job, {
      signal: failed.signal,
      onWork: (work, graph) => {
        doing.set(job, describe(job, work, graph));
        show();
      },
    }).finally(() => doing.delete(job));

  const results: JobResult[] = [];
  const queue = [...jobs.entries()];
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await run(next[1]);
  };
  const clock = setInterval(show, 1000);
  // All lanes are waited for, so that nothing is written any more when this returns.
  await Promise.allSettled(
    Array.from({ length: Math.min(processes, jobs.length) }, () =>
      lane().catch((e) => {
        failed.abort(e);
        throw e;
      }),
    ),
  );
  clearInterval(clock);
  if (failed.signal.aborted) throw failed.signal.reason;
  return results;
}

/** `costing decode-256, 2 of 6` */
function describe({ graphs, binary }: Job, work: Work, graph: string | undefined): string {
  if (graph === undefined) return work;
  const doing = work === "compiling" && binary === undefined ? "costing" : work;
  return `${doing} ${graph}, ${graphs.findIndex((g) => g.name === graph) + 1} of ${graphs.length}`;
}
