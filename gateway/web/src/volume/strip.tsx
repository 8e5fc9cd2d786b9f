import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { ViewLabel } from "../api/types";
import { t, word } from "../i18n";

interface StripProps {
  plane: ViewLabel;
  /** Tells the strips of two volumes on one page apart. */
  name?: string;
  slices: number;
  index: number;
  /** The slice at this moment, where `index` is told with a delay. */
  now?: () => number;
  /** How many pixels of each slice are outlined. */
  counts: readonly number[] | null;
  keySlice: number | null;
  onGo: (index: number) => void;
}

/** Bars of `counts` as one path in a box as wide as there are slices and 1 high. */
function bars(counts: readonly number[]): string {
  const most = Math.max(...counts);
  if (most === 0) return "";
  return counts
    .map((count, index) => (count > 0 ? `M${index} 1v${-Math.max(0.08, count / most)}h1V1z` : ""))
    .join("");
}

/** The slices of one plane: a slider, and above it where the outline is, slice by slice. */
export function Strip({ plane, name, slices, index, now, counts, keySlice, onGo }: StripProps) {
  const slider = useRef<HTMLInputElement>(null);
  // Not its `value`: that would set a slider back whose keys are pressed faster than the slices are drawn.
  useLayoutEffect(() => {
    if (slider.current) slider.current.valueAsNumber = now ? now() : index;
  }, [index, slices]);
  const path = useMemo(() => (counts ? bars(counts) : ""), [counts]);
  const id = `volume-slice-${name ?? plane}`;
  const ending = name ? `-${name}` : "";
  const jump = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    if (event.type === "pointermove" && event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    onGo(Math.floor(((event.clientX - box.left) / box.width) * slices));
  };
  return (
    <div class="volume-rail">
      <label for={id}>
        {t("volume.sliceOf", { plane: word("view", plane), number: index + 1, of: slices })}
      </label>
      <div class="volume-track" dir="ltr">
        <svg
          data-testid={plane === "axial" ? `lesion-strip${ending}` : `lesion-strip-${plane}${ending}`}
          class="volume-strip"
          viewBox={`0 0 ${slices} 1`}
          preserveAspectRatio="none"
          aria-hidden="true"
          onPointerDown={jump}
          onPointerMove={jump}
        >
          <path class="bars" d={path} />
          {keySlice !== null && <rect class="key" x={keySlice} y="0" width="1" height="1" />}
          <rect class="here" x={index} y="0" width="1" height="1" />
        </svg>
        <input
          id={id}
          ref={slider}
          type="range"
          min={0}
          max={slices - 1}
          step={1}
          data-testid={`slice-slider-${plane}${ending}`}
          aria-valuetext={t("volume.sliceOf", { plane: word("view", plane), number: index + 1, of: slices })}
          onInput={(event) => onGo(event.currentTarget.valueAsNumber)}
        />
      </div>
    </div>
  );
}
