import { t } from "../i18n";
import { useTitle } from "./title";

export function NotFound() {
  useTitle(t("shell.notFound"));
  return (
    <div class="column stack">
      <h1>{t("shell.notFound")}</h1>
      <p class="quiet">{t("shell.notFoundHint")}</p>
      <p>
        <a href="/">{t("shell.home")}</a>
      </p>
    </div>
  );
}
