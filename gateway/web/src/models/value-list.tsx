import { t } from "../i18n";
import { isEmpty, isObject, type Json, type JsonObject } from "./card";
import { CardTable } from "./card-table";
import { digitsFor, figure } from "./format";

/** Whatever a card holds, readable: objects as names with values, lists of like objects as tables. */
export function ValueList({ value }: { value: JsonObject }) {
  return (
    <dl class="model-values">
      {Object.entries(value)
        .filter(([, one]) => !isEmpty(one))
        .map(([name, one]) => (
          <div key={name} class={isNested(one) ? "nested" : undefined}>
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>
              <Value name={name} value={one} />
            </dd>
          </div>
        ))}
    </dl>
  );
}

function isNested(value: Json): boolean {
  if (isEstimate(value)) return false;
  return isObject(value) || (Array.isArray(value) && value.length > 0 && value.every(isObject));
}

type EstimateValue = JsonObject & { value: number; low: number; high: number };

/** A number with its interval, as cards write it; it stands in one line. */
function isEstimate(value: Json): value is EstimateValue {
  return isObject(value) && ["value", "low", "high"].every((name) => typeof value[name] === "number");
}

function Estimated({ value: { value, low, high, ...rest } }: { value: EstimateValue }) {
  const digits = digitsFor([value, low, high]);
  return (
    <>
      {figure(value, digits)} (
      {t("modelsPage.range", { low: figure(low, digits), high: figure(high, digits) })})
      {Object.entries(rest).map(([name, one]) => (
        <span key={name} class="quiet">
          {" "}
          · {name.replaceAll("_", " ")} {plain(one)}
        </span>
      ))}
    </>
  );
}

function Value({ name, value }: { name: string; value: Json }) {
  if (isEstimate(value)) return <Estimated value={value} />;
  if (isObject(value)) return <ValueList value={value} />;
  if (!Array.isArray(value)) return <span class="ltr">{plain(value)}</span>;
  if (value.length > 0 && value.every(isObject))
    return <CardTable name={name.replaceAll("_", " ")} rows={value} titled={false} />;
  return <span class="ltr">{value.map((one) => plain(one)).join(", ")}</span>;
}

function plain(value: Json): string {
  if (typeof value === "number") return figure(value);
  if (typeof value === "boolean") return value ? t("modelsPage.yes") : t("modelsPage.no");
  return Array.isArray(value) ? `(${value.map(plain).join(", ")})` : String(value);
}
