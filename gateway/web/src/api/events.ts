// How far a job is, told as it happens. EventSource comes again by itself with the last id that it has.
import type { AnalysisState } from "./types";
import { FINAL_STATES } from "./types";

export interface JobProgress {
  state: AnalysisState;
  stage: string | null;
  done: number;
  total: number;
}

/** Calls `tell` with each step of `id` until the last one, then `end`; returns what stops it earlier.
 *
 * `cut` is called when the stream breaks off, and at each attempt that fails. It may come back by itself; or it may not,
 * where the server closed it for good (204, 404): whoever listens reads the analysis itself meanwhile. */
export function follow(
  id: string,
  tell: (step: JobProgress) => void,
  end: () => void,
  cut: () => void,
): () => void {
  const source = new EventSource(`/v1/analyses/${encodeURIComponent(id)}/events`);
  source.addEventListener("progress", (event) => {
    const step = JSON.parse((event as MessageEvent<string>).data) as JobProgress;
    tell(step);
    if (FINAL_STATES.includes(step.state)) {
      source.close();
      end();
    }
  });
  source.addEventListener("error", cut);
  return () => source.close();
}
