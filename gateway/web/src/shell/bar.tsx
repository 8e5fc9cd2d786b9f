import { useLocation } from "preact-iso";
import { choose, type Key, language, languages, t } from "../i18n";
import { lost } from "./connection";

const LINKS: ReadonlyArray<{ path: string; key: Key; id: string }> = [
  { path: "/", key: "shell.analyze", id: "nav-analyze" },
  { path: "/worklist", key: "shell.worklist", id: "nav-worklist" },
  { path: "/models", key: "shell.models", id: "nav-models" },
];

function current(path: string, here: string): boolean {
  return path === "/" ? here === "/" : here === path || here.startsWith(`${path}/`);
}

/** The bar at the top: where one can go, the language, and the way out where one has signed in. */
export function Bar({ onSignOut }: { onSignOut?: (() => void) | undefined }) {
  const { path: here } = useLocation();
  return (
    <header class="bar">
      <a class="brand" href="/" aria-label={t("shell.title")}>
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>{t("shell.title")}</span>
      </a>
      <nav aria-label={t("shell.title")}>
        {LINKS.map(({ path, key, id }) => (
          <a key={path} href={path} data-testid={id} aria-current={current(path, here) ? "page" : undefined}>
            {t(key)}
          </a>
        ))}
      </nav>
      <select
        class="input language"
        aria-label={t("shell.language")}
        data-testid="language"
        value={language.value.code}
        onChange={(event) => choose(event.currentTarget.value, true).catch(lost)}
      >
        {languages.map(({ code, name }) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
      {onSignOut && (
        <button class="button plain small" type="button" data-testid="sign-out" onClick={onSignOut}>
          {t("signIn.out")}
        </button>
      )}
    </header>
  );
}
