import type { Analysis } from "../api/types";
import { moment, number, t, word } from "../i18n";
import { Notice } from "../ui/notice";
import { isolated } from "./format";
import { Part } from "./part";

/** What was sent, and what the gateway noticed about it. */
export function FilePart({ analysis }: { analysis: Analysis }) {
  const { input } = analysis;
  if (!input) return null;
  const warnings = input.warnings ?? [];
  // As the sizes: along columns first. A slice's own spacing is (between rows, between columns).
  const spacing = input.geometry?.spacing_mm ?? (input.spacing_mm && [...input.spacing_mm].reverse());
  const sides = [input.columns, input.rows, ...(input.slices > 1 ? [input.slices] : [])];
  const rows: Array<[string, string]> = [
    [t("findings.sent"), moment(analysis.created_at)],
    [t("findings.format"), `${word("kind", input.kind)} · ${isolated(formatName(input.format))}`],
    [t("findings.sequences"), input.sequences.map((name) => word("findings.sequence", name)).join(" · ")],
    [t("findings.size"), isolated(sides.map((side) => number(side, 0)).join(" × "))],
    [
      t("findings.spacing"),
      spacing
        ? isolated(`${spacing.map((side) => number(side, 2)).join(" × ")}\u00a0mm`)
        : t("findings.unknown"),
    ],
  ];
  return (
    <Part title={t("findings.file")}>
      {warnings.length > 0 && (
        <Notice tone="warning">
          {warnings.map((warning) => (
            <p key={warning} class="small" dir="ltr" lang="en">
              {warning}
            </p>
          ))}
        </Notice>
      )}
      <dl class="findings-facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>SHA-256</dt>
          <dd>
            <span class="ltr mono" title={input.sha256}>
              {input.sha256.slice(0, 16)}…
            </span>
          </dd>
        </div>
      </dl>
    </Part>
  );
}

function formatName(format: string): string {
  return format === "nifti" ? "NIfTI" : format.toUpperCase();
}
