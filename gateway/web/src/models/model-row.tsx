import type { ModelListing } from "../api/types";
import { t, word } from "../i18n";
import { Icon } from "../ui/icon";

/** One model in the list: a card that leads to its own page. */
export function ModelRow({ model }: { model: ModelListing }) {
  const facts = [model.precision, word("modelsPage.reads", model.reads), `v${model.version}`];
  return (
    <li
      class={`models-item ${model.default ? "default" : ""}`}
      data-testid="model-row"
      data-name={model.name}
    >
      <a href={`/models/${encodeURIComponent(model.name)}`}>
        <span class="models-name ltr">{model.name}</span>
        {model.default && (
          <span class="models-default">
            <Icon name="answer" size={12} />
            {t("modelsPage.default")}
          </span>
        )}
      </a>
      <p class="small" dir="ltr" lang="en">
        {model.title}
      </p>
      <p class="models-facts">
        {facts.map((fact) => (
          <span key={fact} class="ltr">
            {fact}
          </span>
        ))}
        {model.variant_of && <span>{t("modelsPage.variantOf", { name: model.variant_of })}</span>}
        {!model.loaded && <span>{t("modelsPage.onDemand")}</span>}
      </p>
    </li>
  );
}
