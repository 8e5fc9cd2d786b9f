import { useEffect } from "preact/hooks";
import { t } from "../i18n";

/** Names the browser's tab after what is shown: `words`, or the page alone. */
export function useTitle(words: string | null): void {
  const page = t("shell.title");
  useEffect(() => {
    document.title = words ? `${words} · ${page}` : page;
  }, [words, page]);
}
