import type { RefObject } from "preact";
import type { Analysis } from "../api/types";
import { t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { downloadsOf } from "./downloads";

/** Every file of an analysis with its format. */
export function DownloadsDialog({
  analysis,
  dialog,
}: {
  analysis: Analysis;
  dialog: RefObject<HTMLDialogElement | null>;
}) {
  const stem = `neurogate-${analysis.id.slice(0, 8)}`;
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="downloads-title">
      <div class="row spread">
        <h2 id="downloads-title">{t("findings.download")}</h2>
        <button
          class="button icon plain"
          type="button"
          aria-label={t("shell.close")}
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" size={18} />
        </button>
      </div>
      <p class="quiet small">{t("findings.downloadHint")}</p>
      <ul class="findings-downloads">
        {downloadsOf(analysis).map((file) => (
          <li key={file.name}>
            <a
              href={file.path}
              download={`${stem}-${file.path.split("/").pop()}`}
              data-testid={`download-${file.name}`}
            >
              <Icon name="download" size={16} />
              <span>{word("findings.files", file.name)}</span>
              <span class="ltr quiet small">{file.format}</span>
            </a>
          </li>
        ))}
      </ul>
    </dialog>
  );
}
