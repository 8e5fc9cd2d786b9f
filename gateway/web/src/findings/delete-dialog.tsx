import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { ApiProblem, api, ConnectionLost } from "../api/client";
import { t } from "../i18n";
import { lost } from "../shell/connection";
import { ProblemNotice } from "../ui/notice";

/** Asks before an analysis is erased; then goes to the work list. */
export function DeleteDialog({ id, dialog }: { id: string; dialog: RefObject<HTMLDialogElement | null> }) {
  const { route } = useLocation();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function erase() {
    setBusy(true);
    setError(null);
    try {
      await api.erase(id).catch((caught: unknown) => {
        // Somebody else erased it: that is what was asked for.
        if (!(caught instanceof ApiProblem && caught.status === 404)) throw caught;
      });
      dialog.current?.close();
      route("/worklist", true);
    } catch (caught) {
      if (caught instanceof ConnectionLost) lost();
      setError(caught);
    } finally {
      setBusy(false);
    }
  }

  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="delete-title">
      <div class="stack">
        <h2 id="delete-title">{t("findings.deleteTitle")}</h2>
        <p class="quiet">{t("findings.deleteHint")}</p>
        {error !== null && <ProblemNotice error={error} />}
        <div class="row findings-dialog-ends">
          <button class="button" type="button" onClick={() => dialog.current?.close()}>
            {t("findings.keep")}
          </button>
          <button
            class="button danger"
            type="button"
            disabled={busy}
            data-testid="confirm-delete"
            onClick={() => void erase()}
          >
            {t("findings.delete")}
          </button>
        </div>
      </div>
    </dialog>
  );
}
