import type { Analysis } from "../api/types";
import { t } from "../i18n";
import { CompareButton } from "./compare-button";

/** What can be done with the chosen analyses: two of them are compared. */
export function SelectionBar({
  chosen,
  onCompare,
  onClear,
}: {
  chosen: readonly Analysis[];
  onCompare: () => void;
  onClear: () => void;
}) {
  const areFinished = chosen.every(({ state }) => state === "succeeded");
  const hint =
    chosen.length !== 2
      ? t("worklistPage.chooseTwo")
      : areFinished
        ? t("worklistPage.olderFirst")
        : t("worklistPage.onlyFinished");
  return (
    <div class="worklist-selection">
      <p role="status">
        <strong>{t("worklistPage.selectedCount", { count: chosen.length })}</strong>{" "}
        <span class="quiet small">{hint}</span>
      </p>
      <button type="button" class="button plain" onClick={onClear}>
        {t("worklistPage.unselect")}
      </button>
      <CompareButton disabled={chosen.length !== 2 || !areFinished} onClick={onCompare} />
    </div>
  );
}
