import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../ui/icon";
import { ofDrop, ofInput, ofPaste } from "./chosen-files";
import "./drop-zone.css";
import type { ChosenFile } from "./identify";

/** Those of a drop come when their folders are read, which may fail. */
type Chosen = ChosenFile[] | Promise<ChosenFile[]>;

/** Takes files from a picker, from a drop anywhere in the window, or pasted. */
export function DropZone({ compact, onFiles }: { compact: boolean; onFiles: (files: Chosen) => void }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const give = useRef(onFiles);
  give.current = onFiles;

  useEffect(() => {
    // An attribute that the types of elements do not know.
    if (folder.current) folder.current.webkitdirectory = true;
  }, []);

  useEffect(() => listen(setOver, (chosen) => give.current(chosen)), []);

  function picked(input: HTMLInputElement) {
    give.current(ofInput(input));
    // The same file may be chosen again.
    input.value = "";
  }

  return (
    <div class={`drop-zone ${compact ? "compact" : ""} ${isOver ? "over" : ""}`} data-testid="drop-zone">
      <span class="drop-zone-mark">
        <Icon name="upload" size={compact ? 20 : 28} />
      </span>
      <div class="drop-zone-words">
        <p class="drop-zone-title">
          {isOver ? t("analyze.dropNow") : compact ? t("analyze.dropMore") : t("analyze.drop")}
        </p>
        {!compact && <p class="quiet">{t("analyze.accepted")}</p>}
      </div>
      <div class="drop-zone-buttons">
        <button
          type="button"
          class={`button ${compact ? "" : "primary"} drop-zone-choose`}
          onClick={() => files.current?.click()}
        >
          {t("analyze.chooseFiles")}
        </button>
        <button type="button" class="button drop-zone-folder" onClick={() => folder.current?.click()}>
          {t("analyze.chooseFolder")}
        </button>
      </div>
      {!compact && <p class="quiet small drop-zone-paste">{t("analyze.paste")}</p>}
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label={t("analyze.chooseFiles")}
        data-testid="file-input"
        onChange={(event) => picked(event.currentTarget)}
      />
      <input
        ref={folder}
        type="file"
        hidden
        aria-label={t("analyze.chooseFolder")}
        data-testid="folder-input"
        onChange={(event) => picked(event.currentTarget)}
      />
    </div>
  );
}

/** Drops and pastes anywhere in the window; returns what stops it. */
function listen(setOver: (isOver: boolean) => void, give: (files: Chosen) => void): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  // Entering a child comes before leaving its parent: the window is left when as many were left as were entered.
  let depth = 0;
  const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const moved = (event: DragEvent, by: number) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = Math.max(0, depth + by);
    setOver(depth > 0);
  };
  window.addEventListener("dragenter", (event) => moved(event, 1), { signal });
  window.addEventListener("dragleave", (event) => moved(event, -1), { signal });
  window.addEventListener("dragover", (event) => moved(event, 0), { signal });
  window.addEventListener(
    "drop",
    (event) => {
      if (!event.dataTransfer || !holdsFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      give(ofDrop(event.dataTransfer));
    },
    { signal },
  );
  window.addEventListener(
    "paste",
    (event) => {
      const pasted = ofPaste(event.clipboardData, t("analyze.pasted"));
      if (pasted.length > 0) give(pasted);
    },
    { signal },
  );
  return () => stop.abort();
}
