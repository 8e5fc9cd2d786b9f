// How far a job is: told by its events, and read from the analysis itself while those are cut off.
import { ApiProblem, api, ConnectionLost } from "../api/client";
import { follow, type JobProgress } from "../api/events";
import { type Analysis, FINAL_STATES } from "../api/types";
import { lost } from "../shell/connection";

const READ_EVERY_MS = 2000;

/** The progress that an analysis tells of itself. */
export function stepOf({ state, progress }: Analysis): JobProgress {
  return { state, stage: progress.stage, done: progress.done, total: progress.total };
}

/** Calls `tell` with each step and `end` once after the last; returns what stops it earlier. */
export function followJob(id: string, tell: (step: JobProgress) => void, end: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isReading = false;
  let isOver = false;
  const stopEvents = follow(id, told, () => void read(), readSoon);

  function told(step: JobProgress): void {
    if (isOver) return;
    pause();
    tell(step);
  }

  function finish(): void {
    stop();
    end();
  }

  async function read(): Promise<void> {
    if (isOver || isReading) return;
    isReading = true;
    try {
      const analysis = await api.analysis(id);
      if (isOver) return;
      tell(stepOf(analysis));
      if (FINAL_STATES.includes(analysis.state)) return finish();
    } catch (error) {
      if (error instanceof ConnectionLost) lost();
      // Erased meanwhile: whoever listens reads it and says so.
      else if (error instanceof ApiProblem && error.status === 404) return finish();
    } finally {
      isReading = false;
    }
    readSoon();
  }

  function readSoon(): void {
    if (isOver || isReading || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      void read();
    }, READ_EVERY_MS);
  }

  function pause(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  }

  function stop(): void {
    isOver = true;
    stopEvents();
    pause();
  }

  return stop;
}
