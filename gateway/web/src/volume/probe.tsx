import { number, t, word } from "../i18n";
import type { LabelColor } from "./labels";
import type { VolumeScene } from "./scene";
import type { VolumeView } from "./view";

/** What is under the crosshair. Not a live region: it changes with every move. */
export function Probe({
  view,
  scene,
  labels,
}: {
  view: VolumeView;
  scene: VolumeScene | null;
  labels: readonly LabelColor[];
}) {
  const at = view.told.value;
  if (!scene) return <p class="volume-probe" data-testid="probe-readout" />;
  const { index, gray, label } = scene.probe(at);
  const found = labels.find(({ value }) => value === label);
  const mm = scene.millimeters(at).map((value) => number(value, 1));
  return (
    <p class="volume-probe" data-testid="probe-readout" aria-live="off">
      <span>
        {t("volume.place")} <b class="ltr">{mm.join("  ")} mm</b>
      </span>
      <span>
        {t("volume.voxel")} <b class="ltr">{index.map((value) => number(value, 0)).join("  ")}</b>
      </span>
      <span>
        {t("volume.gray")} <b class="ltr">{number(gray, 0)}</b>
      </span>
      <span>
        {t("volume.outline")} <b>{found ? word("volume.label", found.name) : t("volume.none")}</b>
      </span>
    </p>
  );
}
