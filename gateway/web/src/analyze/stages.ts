// The stages of an analysis in their order, and how far each is.
import type { JobProgress } from "../api/events";

export const STAGES = ["decode", "view", "tumor", "clinical", "segmentation", "explanation"] as const;
const ORDER: readonly string[] = STAGES;
export type Stage = (typeof STAGES)[number];
export type StageState = "done" | "current" | "ahead";

/** The stages to show, each with its state. That of the clinical record is shown where one was read. */
export function stagesOf(step: JobProgress, seen: ReadonlySet<string>): Array<[Stage, StageState]> {
  const at = step.state === "queued" ? -1 : ORDER.indexOf(step.stage ?? "");
  return STAGES.map((stage, index): [Stage, StageState] => {
    if (step.state === "succeeded") return [stage, "done"];
    return [stage, index < at ? "done" : index === at ? "current" : "ahead"];
  }).filter(([stage]) => stage !== "clinical" || seen.has(stage));
}
