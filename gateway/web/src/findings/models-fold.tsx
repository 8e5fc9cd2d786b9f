import type { Analysis } from "../api/types";
import { t, word } from "../i18n";
import { duration } from "./format";

/** Which models answered, on what, and how long each stage took. */
export function ModelsFold({ analysis }: { analysis: Analysis }) {
  const { models, timings_ms: timings } = analysis;
  const stages = Object.entries(timings ?? {}).filter(
    (entry): entry is [string, number] => entry[0] !== "total" && typeof entry[1] === "number",
  );
  const longest = Math.max(...stages.map(([, ms]) => ms), 1e-9);
  return (
    <details class="fold findings-fold" data-testid="models-fold">
      <summary>{t("findings.modelsFold")}</summary>
      <ul class="findings-models">
        {models.map((model) => (
          <li key={`${model.stage}-${model.name}`}>
            <span class="quiet small">{word("modelsPage.stage", model.stage)}</span>
            <a class="ltr" href={`/models/${encodeURIComponent(model.name)}`} data-testid="model-link">
              {model.name}
            </a>
            <span class="ltr mono" title={model.sha256}>
              {[
                model.version,
                model.precision,
                model.backend,
                model.provider.replace("ExecutionProvider", ""),
                model.sha256.slice(0, 8),
              ].join(" · ")}
            </span>
          </li>
        ))}
      </ul>
      <ul class="findings-timings">
        {stages.map(([stage, ms]) => (
          <li key={stage}>
            <span>{word("stage", stage)}</span>
            <span class="findings-bar-track" aria-hidden="true">
              <span style={{ inlineSize: `${(100 * ms) / longest}%` }} />
            </span>
            <span>{duration(ms)}</span>
          </li>
        ))}
        {timings && (
          <li class="total">
            <span>{t("findings.total")}</span>
            <span />
            <span>{duration(timings.total)}</span>
          </li>
        )}
      </ul>
    </details>
  );
}
