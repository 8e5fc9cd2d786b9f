import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../ui/icon";

const SAID_MS = 2500;

/** Copies the page's lasting address, and says so. */
export function CopyLink({ path }: { path: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [copied]);

  return (
    <span class="findings-copy">
      <button
        class="button icon plain"
        type="button"
        data-testid="permalink"
        data-copied={String(copied)}
        aria-label={t("findings.link")}
        title={t("findings.link")}
        onClick={() => void copy(new URL(path, location.href).href).then(setCopied)}
      >
        <Icon name={copied ? "answer" : "link"} size={18} />
      </button>
      <span class={copied ? "findings-copied" : "visually-hidden"} role="status">
        {copied ? t("findings.copied") : ""}
      </span>
    </span>
  );
}

/** Whether `text` is in the clipboard. Without the clipboard's own API (plain http) by a selection. */
async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
