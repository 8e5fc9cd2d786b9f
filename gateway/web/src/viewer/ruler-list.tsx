import { language, t } from "../i18n";
import { Icon } from "../ui/icon";
import { rulerName } from "./compose";
import { removeRuler } from "./ruler";
import type { Stage } from "./stage";

/** The reader's rulers in words: read out, chosen and taken away without a mouse. */
export function RulerList({ stage }: { stage: Stage }) {
  const { marks, view } = stage;
  const rulers = marks.rulers.value;
  if (rulers.length === 0) return null;
  return (
    <div class="viewer-rulers" dir={language.value.dir}>
      <ul aria-label={t("viewer.rulers")}>
        {rulers.map(({ id, ends }, index) => {
          const length = rulerName(stage, ends);
          return (
            <li key={id} class="chip">
              <button
                type="button"
                class="viewer-chip"
                aria-pressed={marks.chosen.value?.id === id}
                aria-label={t("viewer.rulerLength", { count: index + 1, length })}
                data-testid={`ruler-${id}`}
                onClick={() => {
                  view.tool.value = "ruler";
                  marks.chosen.value = { id, end: 1 };
                }}
              >
                <Icon name="ruler" size={14} />
                <span class="ltr">{length}</span>
              </button>
              <button
                type="button"
                class="viewer-chip"
                aria-label={t("viewer.rulerRemove", { count: index + 1 })}
                title={t("viewer.rulerRemove", { count: index + 1 })}
                onClick={() => removeRuler(marks, id)}
              >
                <Icon name="close" size={14} />
              </button>
            </li>
          );
        })}
      </ul>
      {!stage.spacingMm && <p class="quiet small">{t("viewer.noSpacing")}</p>}
    </div>
  );
}
