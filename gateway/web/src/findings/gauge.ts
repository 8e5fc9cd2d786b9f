// The number behind a reason and its limit, as shares of one track.
import type { Reason } from "../api/types";

export interface Gauge {
  value: number;
  limit: number;
  /** The track's end, in the unit of `value`. */
  end: number;
  unit: "share" | "labels" | "mm2" | "plain";
}

const OF_LABELS = new Set(["no_label_excluded", "empty_prediction_set"]);
const OF_SHARES = new Set(["low_confidence", "uncertain_view", "unknown_view", "heat_off_mask"]);

/** What can be drawn of `reason`; null where it has no number or no limit. */
export function gaugeOf(reason: Reason): Gauge | null {
  const { code, measured: value, limit } = reason;
  if (typeof value !== "number" || typeof limit !== "number") return null;
  const unit = unitOf(code, value, limit);
  const end = unit === "share" ? 1 : Math.max(value, limit) * 1.25 || 1;
  return { value, limit, end, unit };
}

function unitOf(code: Reason["code"], value: number, limit: number): Gauge["unit"] {
  if (OF_LABELS.has(code)) return "labels";
  // A set of several labels breaks the limit of one; a probability breaks one under 1.
  if (code === "low_confidence" && limit >= 1) return "labels";
  if (OF_SHARES.has(code)) return "share";
  // With known spacing an area, without it a share of the head.
  if (code === "mask_without_tumor") return value > 1 || limit > 1 ? "mm2" : "share";
  return "plain";
}
