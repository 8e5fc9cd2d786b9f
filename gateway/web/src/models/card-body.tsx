import type { ComponentChildren } from "preact";
import type { ModelDetail } from "../api/types";
import { t, word } from "../i18n";
import { Notice } from "../ui/notice";
import { isEmpty, type JsonObject, linesOf, lossesOf, partOf, restOf, slug, tablesOf, textOf } from "./card";
import { CardTable } from "./card-table";
import { FigurePanel } from "./figure-panel";
import { figuresOf, panelsOf } from "./figures";
import { LossPlot } from "./loss-plot";
import { ModelFacts } from "./model-facts";
import { PlotMark } from "./plot-mark";
import { ValueList } from "./value-list";

/** A card in the order in which a reader asks: for what, how well, on what, within which limits, made how. */
export function CardBody({ model, card }: { model: ModelDetail; card: JsonObject }) {
  const metrics = partOf(card, "metrics");
  const groups = panelsOf(card);
  const tables = tablesOf(card);
  const losses = lossesOf(card);
  const rest = restOf(card);
  const settings = { ...partOf(card, "config"), seed: card.seed ?? null };
  const leaky = figuresOf(card).some(([, figure]) => figure.leaky);
  return (
    <>
      <div class="model-use">
        <Section title={t("modelsPage.for")}>
          <English text={textOf(card, "intended_use")} />
        </Section>
        <Section title={t("modelsPage.notFor")}>
          <Notice tone="warning">
            <English text={textOf(card, "notice")} />
          </Notice>
        </Section>
      </div>
      <Section title={t("modelsPage.limits")}>
        <Lines lines={linesOf(card, "limits")} />
      </Section>
      {groups.length > 0 && (
        <Section title={t("modelsPage.figures")}>
          <p class="quiet">{leaky ? t("modelsPage.figuresHint") : t("modelsPage.figuresHintPlain")}</p>
          {leaky && (
            <p class="model-legend">
              <span>
                <PlotMark kind="point" />
                {t("modelsPage.honest")}
              </span>
              <span>
                <PlotMark kind="leaky" />
                {t("modelsPage.careless")}
              </span>
            </p>
          )}
          {groups.map(([group, panels]) => (
            <div key={group} class="model-group">
              <h3>{word("modelsPage.group", slug(group), group)}</h3>
              {panels.map((panel) => (
                <FigurePanel key={panel.figures[0]?.name} panel={panel} />
              ))}
            </div>
          ))}
          <Lines lines={linesOf(metrics, "notes")} />
        </Section>
      )}
      {tables.length > 0 && (
        <Section title={t("modelsPage.tables")}>
          <div class="model-tables">
            {tables.map(([name, rows]) => (
              <CardTable key={name} name={name} rows={rows} />
            ))}
          </div>
        </Section>
      )}
      <Section title={t("modelsPage.training")}>
        <h3>{t("modelsPage.sets")}</h3>
        <English text={textOf(card, "training_sets")} />
        {!isEmpty(partOf(card, "groups")) && (
          <>
            <h3>{t("modelsPage.groups")}</h3>
            <ValueList value={partOf(card, "groups")} />
          </>
        )}
        <h3>{t("modelsPage.protocol")}</h3>
        <English text={textOf(card, "protocol")} />
        {losses.length > 1 && <LossPlot losses={losses} />}
        <details class="fold">
          <summary>{t("modelsPage.settings")}</summary>
          <ValueList value={settings} />
        </details>
      </Section>
      <Section title={t("modelsPage.provenance")}>
        <ModelFacts model={model} card={card} />
        <h3>{t("modelsPage.verification")}</h3>
        <ValueList value={partOf(card, "verification")} />
        <h3>{t("modelsPage.licences")}</h3>
        <Lines lines={linesOf(card, "licences")} />
        <h3>{t("modelsPage.reproduce")}</h3>
        <pre class="model-commands" dir="ltr">
          {linesOf(card, "reproduce").join("\n")}
        </pre>
      </Section>
      {!isEmpty(rest) && (
        <details class="fold panel model-further">
          <summary>{t("modelsPage.further")}</summary>
          <ValueList value={rest} />
        </details>
      )}
    </>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="panel model-section">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** A card's own words, which are English. */
function English({ text }: { text: string | null }) {
  return text === null ? null : (
    <p dir="ltr" lang="en">
      {text}
    </p>
  );
}

function Lines({ lines }: { lines: string[] }) {
  if (lines.length === 0) return null;
  return (
    <ul class="model-lines" dir="ltr" lang="en">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}
