import type { SliceListing } from "../api/types";
import { type Key, t, word } from "../i18n";
import { Icon, type IconName } from "../ui/icon";
import type { Layout } from "./scene";
import { TOOLS, type Tool, type VolumeView } from "./view";

const LAYOUTS: ReadonlyArray<{ layout: Layout; icon: IconName }> = [
  { layout: "planes", icon: "planes" },
  { layout: "axial", icon: "window" },
  { layout: "render", icon: "cube" },
];

interface ToolbarProps {
  view: VolumeView;
  listing: SliceListing;
  sequence: string;
  onSequence: (name: string) => void;
  onHelp: () => void;
}

/** What the mouse does, how the picture is shown, and which sequence. */
export function Toolbar({ view, listing, sequence, onSequence, onHelp }: ToolbarProps) {
  const flat = view.layout.value !== "render";
  return (
    <div class="volume-toolbar">
      <fieldset class="volume-group" disabled={!flat}>
        <legend class="visually-hidden">{t("volume.tools")}</legend>
        {TOOLS.map((tool) => (
          <ToolButton key={tool} tool={tool} view={view} />
        ))}
      </fieldset>
      <fieldset class="volume-group">
        <legend class="visually-hidden">{t("volume.picture")}</legend>
        <button
          type="button"
          class="button icon"
          data-testid="invert"
          aria-pressed={view.inverted.value}
          aria-label={t("volume.action.invert")}
          title={`${t("volume.action.invert")} (I)`}
          disabled={!flat}
          onClick={() => {
            view.inverted.value = !view.inverted.value;
          }}
        >
          <Icon name="invert" />
        </button>
        <button
          type="button"
          class="button icon"
          data-testid="reset"
          aria-label={t("volume.action.reset")}
          title={`${t("volume.action.reset")} (X)`}
          onClick={() => view.reset()}
        >
          <Icon name="reset" />
        </button>
        <button type="button" class="button" data-testid="key-slice" title="K" onClick={() => view.home()}>
          {t("volume.action.keySlice")}
        </button>
      </fieldset>
      <fieldset class="volume-group">
        <legend class="visually-hidden">{t("volume.layout")}</legend>
        {LAYOUTS.map(({ layout }) => (
          <button
            key={layout}
            type="button"
            class="button"
            data-testid={`layout-${layout}`}
            aria-pressed={view.layout.value === layout}
            onClick={() => {
              view.layout.value = layout;
            }}
          >
            {t(`volume.action.${layout}` as Key)}
          </button>
        ))}
      </fieldset>
      <span class="volume-space" />
      {listing.sequences.length > 1 && (
        <label class="volume-sequence">
          <span class="quiet small">{t("volume.sequences")}</span>
          <select
            class="input"
            data-testid="sequence"
            value={sequence}
            onChange={(event) => onSequence(event.currentTarget.value)}
          >
            {listing.sequences.map((name) => (
              <option key={name} value={name}>
                {word("volume.sequence", name, name.toUpperCase())}
              </option>
            ))}
          </select>
        </label>
      )}
      <button
        type="button"
        class="button icon"
        data-testid="shortcuts-open"
        aria-label={t("volume.action.help")}
        title={`${t("volume.action.help")} (?)`}
        onClick={onHelp}
      >
        <Icon name="keyboard" />
      </button>
    </div>
  );
}

function ToolButton({ tool, view }: { tool: Tool; view: VolumeView }) {
  const name = t(`volume.action.${tool}` as Key);
  return (
    <button
      type="button"
      class="button icon"
      data-testid={`tool-${tool}`}
      aria-pressed={view.tool.value === tool}
      aria-label={name}
      title={name}
      onClick={() => {
        view.tool.value = tool;
      }}
    >
      <Icon name={tool} />
    </button>
  );
}
