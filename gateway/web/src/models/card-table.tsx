import { language, t, word } from "../i18n";
import { type Json, type JsonObject, slug } from "./card";
import { digitsFor, figure } from "./format";
import "./card-table.css";

const LONG_NAMES = 40;

/** A table of a card. A value's `low` and `high` stand in its own cell. */
export function CardTable({
  name,
  rows,
  titled = true,
}: {
  name: string;
  rows: JsonObject[];
  titled?: boolean;
}) {
  const columns = Object.keys(rows[0] ?? {}).filter((column) => column !== "low" && column !== "high");
  const digits = new Map(columns.map((column) => [column, digitsOf(rows, column)]));
  const ranged = columns.find((column) => rows.every((row) => isWithin(row, column)));
  const title = word("modelsPage.table", slug(name), name);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by the keyboard too
    <div class={`model-table ${isWide(columns) ? "wide" : ""}`} tabIndex={0}>
      <table class="plain">
        <caption class={titled ? undefined : "visually-hidden"}>{title}</caption>
        <thead>
          <tr>
            {columns.map((column) =>
              column === "label" ? (
                <td key={column} />
              ) : (
                <th key={column} scope="col">
                  {word("modelsPage.figure", slug(column), column)}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={String(row.label)}>
              {columns.map((column) =>
                column === "label" ? (
                  <th key={column} scope="row">
                    {rowName(String(row.label))}
                  </th>
                ) : (
                  <td key={column}>
                    {cell(row[column] ?? null, digits.get(column))}
                    {column === ranged && range(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function digitsOf(rows: JsonObject[], column: string): number {
  return digitsFor(rows.map((row) => row[column]).filter((value) => typeof value === "number"));
}

/** Whether half of the page is too narrow, judged by the columns' names. */
function isWide(columns: string[]): boolean {
  return columns.length > 6 || columns.join("").length > LONG_NAMES;
}

function rowName(label: string): string {
  const known = word("tumor", label, "") || word("view", label, "");
  return known || label.replaceAll("_", " ");
}

function cell(value: Json, digits?: number): string {
  if (typeof value === "number") return figure(value, digits);
  if (value === null) return "–";
  return typeof value === "object"
    ? new Intl.ListFormat(language.value.code).format(Object.values(value).map((one) => cell(one)))
    : String(value);
}

/** Whether the row's `low` and `high` are those of this column. */
function isWithin({ low, high, ...row }: JsonObject, column: string): boolean {
  const value = row[column];
  if (typeof value !== "number" || typeof low !== "number" || typeof high !== "number") return false;
  return low <= value && value <= high;
}

function range({ low, high }: JsonObject) {
  if (typeof low !== "number" || typeof high !== "number") return null;
  return <span class="quiet"> ({t("modelsPage.range", { low: figure(low), high: figure(high) })})</span>;
}
