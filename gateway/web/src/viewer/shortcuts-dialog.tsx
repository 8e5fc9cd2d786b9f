import { useEffect, useId, useRef } from "preact/hooks";
import { t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { anywhere } from "./keys";
import { SHORTCUTS } from "./shortcuts";

/** The list of keys, from the table that the handler obeys. */
export function ShortcutsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="dialog viewer-shortcuts"
      aria-labelledby={id}
      data-testid="shortcuts"
      onClose={onClose}
    >
      <div class="row spread">
        <h2 id={id}>{t("viewer.help")}</h2>
        <button
          type="button"
          class="button plain icon"
          aria-label={t("shell.close")}
          title={t("shell.close")}
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </div>
      <dl class="viewer-keys">
        {SHORTCUTS.map(({ name, shown }) => (
          <div key={name}>
            <dt class="ltr">
              {shown.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{word("viewer.keys", name)}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet small">{t("viewer.pointerHint")}</p>
      <label class="overlay-toggle">
        <input
          type="checkbox"
          data-testid="shortcuts-anywhere"
          checked={anywhere.value}
          onChange={(event) => {
            anywhere.value = event.currentTarget.checked;
          }}
        />
        {t("viewer.anywhere")}
      </label>
    </dialog>
  );
}
