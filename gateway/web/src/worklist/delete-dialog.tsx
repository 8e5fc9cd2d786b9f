import { useEffect, useRef, useState } from "preact/hooks";
import { ApiProblem, api, ConnectionLost } from "../api/client";
import type { Analysis } from "../api/types";
import { moment, t } from "../i18n";
import { lost } from "../shell/connection";
import { ProblemNotice } from "../ui/notice";
import { shortId } from "./summary";

/** Asks before an analysis is erased, and erases it. */
export function DeleteDialog({
  analysis,
  onClose,
}: {
  analysis: Analysis;
  /** `isErased`: whether it is gone. */
  onClose: (isErased: boolean) => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  async function erase() {
    setBusy(true);
    setError(null);
    try {
      await api.erase(analysis.id);
    } catch (caught) {
      // Somebody else erased it: that is what was asked for.
      if (!(caught instanceof ApiProblem && caught.status === 404)) {
        if (caught instanceof ConnectionLost) lost();
        setError(caught);
        setBusy(false);
        return;
      }
    }
    onClose(true);
  }

  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="delete-title" onClose={() => onClose(false)}>
      <div class="stack">
        <h2 id="delete-title">{t("worklistPage.deleteTitle")}</h2>
        <p>{t("worklistPage.deleteHint")}</p>
        <p class="quiet small">
          <span class="ltr mono">{shortId(analysis.id)}</span> · {moment(analysis.created_at)}
        </p>
        {error !== null && <ProblemNotice error={error} />}
        <div class="row worklist-answers">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {t("worklistPage.keep")}
          </button>
          <button
            type="button"
            class="button danger"
            data-testid="confirm-delete"
            disabled={busy}
            onClick={() => void erase()}
          >
            {t("worklistPage.delete")}
          </button>
        </div>
      </div>
    </dialog>
  );
}
