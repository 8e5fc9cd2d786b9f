import { t } from "../i18n";
import { Notice } from "../ui/notice";

/** In place of a screen whose code is gone though the gateway answers: it was renewed while the page was open. */
export function Outdated() {
  return (
    <div class="column">
      <Notice tone="info" title={t("shell.outdated")}>
        <div>
          <button type="button" class="button" onClick={() => location.reload()}>
            {t("shell.reload")}
          </button>
        </div>
      </Notice>
    </div>
  );
}
