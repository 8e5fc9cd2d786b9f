import { useComputed } from "@preact/signals";
import { t, word } from "../i18n";
import { Icon, type IconName } from "../ui/icon";
import { choose, zoomIn, zoomOut } from "./commands";
import { SHORTCUTS, type ShortcutName } from "./shortcuts";
import { oneToOne, type Stage } from "./stage";
import { fit, nextComparing, reset, TOOLS, type Tool } from "./view-state";

const keyOf = (name: ShortcutName, index = 0) =>
  SHORTCUTS.find((shortcut) => shortcut.name === name)?.shown[index] ?? "";

/** A button that is known by its icon; its words are its label and its tooltip. */
function IconButton({
  icon,
  label,
  shortcut,
  testid,
  pressed,
  onClick,
}: {
  icon: IconName;
  label: string;
  shortcut?: string;
  testid: string;
  pressed?: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      class="button plain icon"
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={shortcut}
      title={shortcut ? `${label} (${shortcut})` : label}
      data-testid={testid}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

function ToolButton({ stage, tool }: { stage: Stage; tool: Tool }) {
  const pressed = useComputed(() => stage.view.tool.value === tool);
  return (
    <IconButton
      icon={tool}
      label={word("viewer.tools", tool)}
      shortcut={keyOf(tool)}
      testid={`tool-${tool}`}
      pressed={pressed.value}
      onClick={() => choose(stage, tool)}
    />
  );
}

/** Tools, zoom, and the way back; `onHelp` opens the list of keys. */
export function Toolbar({ stage, onHelp }: { stage: Stage; onHelp: () => void }) {
  const { view } = stage;
  const comparing = view.comparing.value;
  return (
    <div class="viewer-bar">
      <fieldset class="viewer-group" aria-label={t("viewer.toolsLabel")}>
        {TOOLS.map((tool) => (
          <ToolButton key={tool} stage={stage} tool={tool} />
        ))}
      </fieldset>
      <fieldset class="viewer-group" aria-label={t("viewer.zoomLabel")}>
        <IconButton
          icon="minus"
          label={t("viewer.zoomOut")}
          shortcut={keyOf("closer", 1)}
          testid="zoom-out"
          onClick={() => zoomOut(stage)}
        />
        <IconButton
          icon="plus"
          label={t("viewer.zoomIn")}
          shortcut={keyOf("closer")}
          testid="zoom-in"
          onClick={() => zoomIn(stage)}
        />
        <IconButton
          icon="fit"
          label={t("viewer.fit")}
          shortcut={keyOf("fit")}
          testid="zoom-fit"
          onClick={() => fit(view)}
        />
        <button
          type="button"
          class="button plain icon viewer-one"
          aria-label={t("viewer.oneToOne")}
          aria-keyshortcuts={keyOf("oneToOne")}
          title={`${t("viewer.oneToOne")} (${keyOf("oneToOne")})`}
          data-testid="zoom-one"
          onClick={() => oneToOne(stage)}
        >
          <span class="ltr">1:1</span>
        </button>
      </fieldset>
      <fieldset class="viewer-group" aria-label={t("viewer.lookLabel")}>
        <IconButton
          icon="invert"
          label={t("viewer.invert")}
          shortcut={keyOf("invert")}
          testid="invert"
          pressed={view.invert.value}
          onClick={() => {
            view.invert.value = !view.invert.value;
          }}
        />
        <IconButton
          icon="compare"
          label={t("viewer.original", { mode: word("viewer.comparing", comparing) })}
          shortcut={keyOf("original")}
          testid="compare-original"
          pressed={comparing !== "off"}
          onClick={() => nextComparing(view)}
        />
        <IconButton
          icon="reset"
          label={t("viewer.reset")}
          shortcut={keyOf("reset")}
          testid="reset"
          onClick={() => reset(view)}
        />
      </fieldset>
      <div class="viewer-group viewer-last">
        <IconButton
          icon="keyboard"
          label={t("viewer.help")}
          shortcut={keyOf("help")}
          testid="shortcuts-open"
          onClick={onHelp}
        />
      </div>
    </div>
  );
}
