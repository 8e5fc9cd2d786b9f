import type { Verdict } from "../api/types";
import { word } from "../i18n";
import { Icon } from "./icon";

/** The verdict as a word with its shape and color. */
export function VerdictChip({ verdict }: { verdict: Verdict }) {
  return (
    <span class={`chip ${verdict}`}>
      <Icon name={verdict} size={14} />
      {word("verdict", verdict)}
    </span>
  );
}
