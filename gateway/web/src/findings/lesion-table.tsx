import type { Segmentation } from "../api/types";
import { number, t } from "../i18n";
import { fixed, isolated, quantity } from "./format";

type Lesions = NonNullable<Segmentation["volume"]>["lesions"];

/** Each lesion with its volume and its two diameters. */
export function LesionTable({ lesions }: { lesions: Lesions }) {
  return (
    <details class="fold">
      <summary>{t("findings.lesionList")}</summary>
      <ol class="findings-lesions">
        {lesions.map((lesion, place) => (
          <li key={lesion.centroid_mm.join()}>
            <span class="quiet">
              {t("findings.lesion")} {number(place + 1)}
            </span>
            <span>{quantity(lesion.volume_ml, "ml")}</span>
            <span>
              {isolated(
                `${fixed(lesion.longest_diameter_mm, 1)} × ${fixed(lesion.perpendicular_diameter_mm, 1)}\u00a0mm`,
              )}
            </span>
            <span class="quiet small">
              {lesion.measurable ? t("findings.measurable") : t("findings.notMeasurable")}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}
