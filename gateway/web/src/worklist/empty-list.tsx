import { t } from "../i18n";
import { Icon } from "../ui/icon";

/** Where nothing is to be listed: why, and a way on. */
export function EmptyList({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  return (
    <div class="worklist-empty">
      <Icon name={isFiltered ? "search" : "eye"} size={32} />
      <h2>{isFiltered ? t("worklistPage.noMatch") : t("worklistPage.none")}</h2>
      <p class="quiet">{isFiltered ? t("worklistPage.noMatchHint") : t("worklistPage.noneHint")}</p>
      {isFiltered ? (
        <button type="button" class="button" onClick={onClear}>
          {t("worklistPage.clear")}
        </button>
      ) : (
        <a class="button primary" href="/">
          {t("shell.home")}
        </a>
      )}
    </div>
  );
}
