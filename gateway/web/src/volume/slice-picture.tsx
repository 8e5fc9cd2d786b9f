import { useEffect } from "preact/hooks";
import type { SliceListing } from "../api/types";
import { t, word } from "../i18n";
import { LETTERS } from "./planes";
import { type SliceChoice, sliceAddress } from "./slice-address";

const AHEAD = [1, -1, 2, -2, 3];

/** One slice as the gateway draws it, in true proportions, with its neighbors fetched ahead. */
export function SlicePicture({
  listing,
  choice,
  onTurn,
}: {
  listing: SliceListing;
  choice: SliceChoice;
  /** Called with +1 or -1 for each notch of the wheel. */
  onTurn?: (by: number) => void;
}) {
  const address = sliceAddress(listing, choice);
  useEffect(() => {
    for (const step of AHEAD)
      new Image().src = sliceAddress(listing, { ...choice, index: choice.index + step });
  }, [address]);
  const plane = listing.planes[choice.plane];
  if (!plane) return null;
  const [, tall, wide] = plane.spacing_mm;
  const letters = LETTERS[choice.plane];
  const ratio = (plane.columns * wide) / (plane.rows * tall);
  const name = t("volume.sliceOf", {
    plane: word("view", choice.plane),
    number: choice.index + 1,
    of: plane.slices,
  });
  return (
    <div
      class="volume-plain-stage"
      dir="ltr"
      onWheel={(event) => {
        if (!onTurn || event.ctrlKey || event.deltaY === 0) return;
        event.preventDefault();
        onTurn(event.deltaY > 0 ? -1 : 1);
      }}
    >
      <div class="volume-plain-picture" style={{ aspectRatio: String(ratio), "--ratio": ratio }}>
        <img src={address} alt={name} draggable={false} data-testid="slice-picture" />
        <div class="volume-edges">
          <span class="start">{letters.left}</span>
          <span class="end">{letters.right}</span>
          <span class="above">{letters.top}</span>
          <span class="below">{letters.bottom}</span>
        </div>
      </div>
      <p class="volume-corner research-use">{t("volume.research")}</p>
    </div>
  );
}
