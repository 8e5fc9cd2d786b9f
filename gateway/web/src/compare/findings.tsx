import type { Comparison } from "../api/types";
import { t, word } from "../i18n";
import { ChangesTable } from "./changes-table";

type Category = NonNullable<Comparison["category"]>;

/** What the gateway says of the two: the figures first, then what they are not, and what to be careful about. */
export function ComparisonFindings({ comparison }: { comparison: Comparison }) {
  const { lesions, category, volume_category, warnings } = comparison;
  return (
    <div class="stack">
      <section class="panel stack" aria-labelledby="compare-changes">
        <div class="row spread">
          <h2 id="compare-changes">{t("compare.changes")}</h2>
          {lesions && (
            <p class="quiet small" data-testid="change-lesions">
              {t("compare.lesions", { baseline: lesions.baseline, followup: lesions.followup })}
            </p>
          )}
        </div>
        <ChangesTable comparison={comparison} />
        <details class="fold">
          <summary>{t("compare.method")}</summary>
          <p class="small quiet" dir="ltr" lang="en">
            {comparison.method}
          </p>
        </details>
      </section>
      <p class="compare-statement" dir="ltr" lang="en" data-testid="comparison-statement">
        {comparison.statement}
      </p>
      <div class="compare-foot">
        {(category || volume_category) && (
          <section class="panel stack" aria-labelledby="compare-categories">
            <h2 id="compare-categories">{t("compare.interpretation")}</h2>
            {category && <CategoryWords category={category} by={t("compare.asProducts")} />}
            {volume_category && <CategoryWords category={volume_category} by={t("compare.asVolume")} />}
          </section>
        )}
        {warnings.length > 0 && (
          <section class="panel stack" aria-labelledby="compare-warnings">
            <h2 id="compare-warnings">{t("compare.warnings")}</h2>
            <ul class="compare-warnings">
              {warnings.map(({ code, detail }) => (
                <li key={`${code} ${detail}`} data-testid={`warning-${code}`}>
                  <h3>{word("compare.warning", code)}</h3>
                  <p class="small quiet" dir="ltr" lang="en">
                    {detail}
                  </p>
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </div>
  );
}

function CategoryWords({ category, by }: { category: Category; by: string }) {
  const measured = word("compare.category", category.point_category);
  return (
    <div class="compare-category">
      <p class="row">
        <strong>{word("compare.category", category.category)}</strong>
        <span class="quiet small">{by}</span>
      </p>
      {category.point_category !== category.category && (
        <p class="small">{t("compare.asMeasured", { category: measured })}</p>
      )}
      <p class="small quiet" dir="ltr" lang="en">
        {category.reason}
      </p>
      <p class="small quiet" dir="ltr" lang="en">
        {category.source}
      </p>
    </div>
  );
}
