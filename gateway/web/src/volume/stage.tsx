import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { number, t } from "../i18n";
import { listen } from "./gestures";
import type { LabelColor } from "./labels";
import { type Diameters, Marks } from "./marks";
import type { Reason } from "./plain-volume";
import type { VolumeScene } from "./scene";
import { sameTiles, type Tile } from "./tiles";
import type { VolumeView } from "./view";

export interface VolumeFiles {
  sequence: ArrayBuffer;
  mask: ArrayBuffer | null;
}

interface StageProps {
  view: VolumeView;
  files: VolumeFiles | null;
  labels: readonly LabelColor[];
  /** The largest lesion's diameters as RAS mm. */
  diametersMm: Diameters | null;
  /** Called when a sequence can be looked at, and with null when not any more. */
  onScene: (scene: VolumeScene | null) => void;
  /** The planes cannot be drawn, or not any more. */
  onBroken: (why: Reason) => void;
}

const COUNT_FRAMES = new URLSearchParams(location.search).has("frames");

/** The canvas with the planes, and what is drawn over it. */
export function Stage({ view, files, labels, diametersMm, onScene, onBroken }: StageProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scene = useRef<VolumeScene | null>(null);
  const opened = useSignal(false);
  const loaded = useSignal(false);
  const tiles = useSignal<readonly Tile[]>([]);
  const rate = useSignal(0);
  const diameters = useSignal<Diameters | null>(null);

  useEffect(() => {
    const [frame, surface] = [box.current, canvas.current];
    if (!frame || !surface) return;
    const stop = new AbortController();
    const drawn: number[] = [];
    const sized = new ResizeObserver(() => scene.current?.resize(frame.clientWidth, frame.clientHeight));
    surface.addEventListener("webglcontextlost", () => !stop.signal.aborted && onBroken("webglLost"), {
      signal: stop.signal,
    });
    const broken = (why: Reason) => () => {
      if (!stop.signal.aborted) onBroken(why);
    };
    const opening = (module: typeof import("./scene")) =>
      module.VolumeScene.open(surface).then((found) => {
        if (stop.signal.aborted) {
          found.close();
          return;
        }
        scene.current = found;
        view.software = found.software;
        found.onDrawn = (shown) => {
          if (!sameTiles(tiles.value, shown)) tiles.value = shown;
          if (COUNT_FRAMES) rate.value = framesPerSecond(drawn);
        };
        found.resize(frame.clientWidth, frame.clientHeight);
        sized.observe(frame);
        listen(frame, { view, scene: () => scene.current, tiles: () => tiles.value }, stop.signal);
        opened.value = true;
      });
    import("./scene").then((module) => opening(module).catch(broken("noWebgl")), broken("noFile"));
    return () => {
      stop.abort();
      sized.disconnect();
      scene.current?.close();
      scene.current = null;
      onScene(null);
    };
  }, []);

  useSignalEffect(() => {
    const look = view.look();
    if (opened.value) scene.current?.show(look);
  });

  const ready = opened.value;
  useEffect(() => {
    if (!ready || !files) return;
    let current = true;
    loaded.value = false;
    onScene(null);
    scene.current
      ?.load(files.sequence, files.mask, labels)
      .then(() => {
        if (!current) return;
        diameters.value = inVoxels(scene.current, diametersMm);
        if (diameters.value) view.arrive(diameters.value.longest);
        loaded.value = true;
        onScene(scene.current);
      })
      .catch(() => current && onBroken("noFile"));
    return () => {
      current = false;
    };
  }, [ready, files]);

  const { low, high } = view.window.value;
  return (
    <div
      ref={box}
      class={`volume-stage tool-${view.layout.value === "render" ? "turn" : view.tool.value}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the viewer's keys work here
      tabIndex={0}
      role="application"
      aria-label={t("volume.stage")}
      aria-busy={!loaded.value}
    >
      <canvas ref={canvas} data-testid="viewer-canvas" />
      <Marks view={view} tiles={loaded.value ? tiles.value : []} diameters={diameters.value} />
      {!loaded.value && (
        <p class="volume-waiting" role="status">
          <span class="spinner" /> {t("volume.loading")}
        </p>
      )}
      <p class="volume-corner" dir="ltr" data-testid="window-readout" hidden={view.layout.value === "render"}>
        {t("volume.windowShort", { level: Math.round((low + high) / 2), width: Math.round(high - low) })}
      </p>
      <p class="volume-corner research-use">{t("volume.research")}</p>
      {COUNT_FRAMES && (
        <p class="volume-corner frames" dir="ltr" data-testid="frame-rate" data-value={rate.value}>
          {number(rate.value, 0)} / s
        </p>
      )}
    </div>
  );
}

/** How many drawings there were in the last second; `drawn` holds their times, this one's among them. */
function framesPerSecond(drawn: number[]): number {
  const now = performance.now();
  drawn.push(now);
  while ((drawn[0] ?? now) < now - 1000) drawn.shift();
  return drawn.length;
}

function inVoxels(scene: VolumeScene | null, mm: Diameters | null): Diameters | null {
  if (!scene || !mm) return null;
  const both = (ends: Diameters["longest"]) => [scene.voxel(ends[0]), scene.voxel(ends[1])] as const;
  return { longest: both(mm.longest), perpendicular: both(mm.perpendicular) };
}
