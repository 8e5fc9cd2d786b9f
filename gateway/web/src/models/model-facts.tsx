import type { ComponentChildren } from "preact";
import type { ModelDetail } from "../api/types";
import { fileSize } from "../findings/format";
import { number, t, word } from "../i18n";
import { type JsonObject, numberOf, textOf } from "./card";

/** What the model is: its file, its inputs and outputs, where it runs. */
export function ModelFacts({ model, card }: { model: ModelDetail; card: JsonObject }) {
  const bytes = numberOf(card, "file_bytes");
  const parameters = numberOf(card, "parameters");
  const tensor = ({ name, dtype, shape }: ModelDetail["inputs"][number]) =>
    `${name} ${dtype} [${shape.map((side) => (side < 0 ? "N" : side)).join(", ")}]`;
  const related = (name: string) => (
    <a class="ltr" href={`/models/${encodeURIComponent(name)}`}>
      {name}
    </a>
  );
  const rows: Array<[string, ComponentChildren]> = [
    [t("modelsPage.architecture"), textOf(card, "architecture")],
    [t("modelsPage.version"), model.version],
    [t("modelsPage.precision"), model.precision],
    [t("modelsPage.parameters"), parameters && number(parameters, 0)],
    [t("modelsPage.file"), bytes && fileSize(bytes)],
    [
      t("modelsPage.labels"),
      model.labels.map((label) => word("tumor", label, word("view", label))).join(" · "),
    ],
    [t("modelsPage.sequences"), model.sequences.map((name) => word("findings.sequence", name)).join(" · ")],
    [t("modelsPage.featuresOf"), model.features_of && related(model.features_of)],
    [t("modelsPage.variantOf", { name: "" }), model.variant_of && related(model.variant_of)],
    [
      t("modelsPage.device"),
      model.loaded ? model.provider.replace("ExecutionProvider", "") : t("modelsPage.onDemand"),
    ],
    [t("modelsPage.input"), model.inputs.map(tensor).join("; ")],
    [t("modelsPage.output"), model.outputs.map(tensor).join("; ")],
    ["SHA-256", <span class="mono">{model.sha256}</span>],
  ];
  return (
    <dl class="model-values">
      {rows
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
    </dl>
  );
}
