import { api } from "../api/client";
import type { ModelListing } from "../api/types";
import { t, word } from "../i18n";
import { useTitle } from "../shell/title";
import { useLoaded } from "../ui/loaded";
import { Notice, ProblemNotice } from "../ui/notice";
import { useReconnect } from "../ui/reconnect";
import { ModelRow } from "./model-row";
import "./models.css";

const STAGES = ["view", "tumor", "segmentation", "clinical"] as const;

/** Every model that is served, by stage; the defaults first. */
export default function ModelsPage() {
  const { value, error, again } = useLoaded((signal) => api.models(signal), []);
  useReconnect(error, again);
  useTitle(t("modelsPage.title"));
  return (
    <div class="column stack models">
      <header>
        <h1>{t("modelsPage.title")}</h1>
        <p class="quiet">{t("modelsPage.hint")}</p>
      </header>
      {error !== null && <ProblemNotice error={error} onRetry={again} />}
      {!value && !error && (
        <p class="row quiet" role="status">
          <span class="spinner" aria-hidden="true" />
          {t("shell.loading")}
        </p>
      )}
      {value?.unavailable.map((away) => (
        <Notice
          key={away.stage}
          tone="warning"
          title={t("modelsPage.unavailable", { stage: word("modelsPage.stage", away.stage) })}
        >
          <p dir="ltr" lang="en">
            {away.detail}
          </p>
        </Notice>
      ))}
      {value &&
        STAGES.map((stage) => {
          const models = value.models.filter((model) => model.stage === stage);
          return models.length > 0 && <Stage key={stage} stage={stage} models={models} />;
        })}
      <p class="small">
        <a class="quiet" href="/licenses.txt" target="_blank" rel="noopener">
          {t("modelsPage.software")}
        </a>
      </p>
    </div>
  );
}

function Stage({ stage, models }: { stage: string; models: ModelListing[] }) {
  const sorted = [...models].sort((one, other) => Number(other.default) - Number(one.default));
  return (
    <section class="models-stage">
      <h2>
        {word("modelsPage.stage", stage)} <span>{word("modelsPage.stageHint", stage)}</span>
      </h2>
      <ul class="models-grid">
        {sorted.map((model) => (
          <ModelRow key={model.name} model={model} />
        ))}
      </ul>
    </section>
  );
}
