import { useEffect, useRef } from "preact/hooks";
import { type Key, t } from "../i18n";
import { KEYS } from "./keys";

const SHOWN: Record<string, string> = {
  arrowup: "↑",
  arrowdown: "↓",
  arrowleft: "←",
  arrowright: "→",
  pageup: "PgUp",
  pagedown: "PgDn",
  home: "Home",
  end: "End",
};

/** The keys, in a dialog over the page. */
export function Shortcuts({ open, onClose }: { open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="dialog volume-shortcuts"
      data-testid="shortcuts"
      aria-labelledby="volume-shortcuts"
      onClose={onClose}
    >
      <div class="row spread">
        <h2 id="volume-shortcuts">{t("volume.action.help")}</h2>
        <button type="button" class="button" onClick={() => dialog.current?.close()}>
          {t("shell.close")}
        </button>
      </div>
      <dl>
        {KEYS.map(({ action, keys }) => (
          <div key={action}>
            <dt class="ltr">
              {keys.map((key) => (
                <kbd key={key}>{SHOWN[key] ?? key.toUpperCase()}</kbd>
              ))}
            </dt>
            <dd>{t(`volume.action.${action}` as Key)}</dd>
          </div>
        ))}
      </dl>
      <h3>{t("volume.mouse")}</h3>
      <ul class="small quiet">
        <li>{t("volume.mouseWheel")}</li>
        <li>{t("volume.mouseRight")}</li>
        <li>{t("volume.mouseShift")}</li>
      </ul>
    </dialog>
  );
}
