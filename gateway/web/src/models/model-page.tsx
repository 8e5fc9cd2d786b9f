import { useRoute } from "preact-iso";
import { api } from "../api/client";
import type { ModelDetail } from "../api/types";
import { t, word } from "../i18n";
import { useTitle } from "../shell/title";
import { useLoaded } from "../ui/loaded";
import { Notice, ProblemNotice } from "../ui/notice";
import { useReconnect } from "../ui/reconnect";
import { CardBody } from "./card-body";
import { ModelFacts } from "./model-facts";
import "./models.css";
import "./model-card.css";

/** One model's card as a page to read. */
export default function ModelPage() {
  const { params } = useRoute();
  const name = params.name ?? "";
  const { value, error, again } = useLoaded((signal) => api.model(name, signal), [name]);
  useReconnect(error, again);
  useTitle(name);
  return (
    <div class="column stack model">
      <p>
        <a href="/models">{t("modelsPage.back")}</a>
      </p>
      {!value && (
        <h1 class="ltr" lang="en">
          {name}
        </h1>
      )}
      {error !== null && <ProblemNotice error={error} onRetry={again} />}
      {!value && !error && (
        <p class="row quiet" role="status">
          <span class="spinner" aria-hidden="true" />
          {t("shell.loading")}
        </p>
      )}
      {value && <Card model={value} />}
    </div>
  );
}

function Card({ model }: { model: ModelDetail }) {
  return (
    <article class="stack" data-testid="model-card">
      <header class="model-head">
        <p class="quiet">
          {word("modelsPage.stage", model.stage)} · <span class="ltr mono">{model.name}</span>
          {model.default && <span class="chip">{t("modelsPage.default")}</span>}
        </p>
        <h1 dir="ltr" lang="en">
          {model.title}
        </h1>
      </header>
      {model.card ? (
        <CardBody model={model} card={model.card as Parameters<typeof CardBody>[0]["card"]} />
      ) : (
        <>
          <Notice tone="info">
            <p>{t("modelsPage.noCard")}</p>
          </Notice>
          <ModelFacts model={model} card={{}} />
        </>
      )}
    </article>
  );
}
