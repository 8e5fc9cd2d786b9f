import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { language, t } from "../i18n";
import { obey } from "./commands";
import { compose, type Layers } from "./compose";
import { Divider } from "./divider";
import { listen } from "./gestures";
import { receiveKeys } from "./keys";
import { OrientationLetters, OrientationWarning } from "./letters";
import type { Orientation } from "./orientation";
import { readPalette } from "./palette";
import type { Gray } from "./picture";
import { Readouts } from "./readouts";
import { drawScene } from "./render";
import { RulerList } from "./ruler-list";
import { panesOf, type Stage } from "./stage";
import { toolGestures } from "./tools";
import "./stage.css";

const MAX_DENSITY = 2;
/** Below this width the lower letter stands above the disclaimer. */
const NARROW_PX = 620;

/** The canvas with what lies over it: letters, readouts, the divider. */
export function StageView({
  stage,
  layers,
  gray,
  orientation,
  label,
  onHelp,
}: {
  stage: Stage;
  layers: Layers;
  gray: Gray;
  orientation: Orientation | null;
  /** What the picture shows, in words. */
  label: string;
  onHelp: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const space = useRef(false);
  const { view } = stage;
  const comparing = view.comparing.value;

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      stage.size.value = { width: Math.floor(width), height: Math.floor(height) };
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, [stage]);

  useEffect(() => {
    const target = canvas.current;
    return target ? drawWhenChanged(target, stage, layers) : undefined;
  }, [stage, layers]);

  useEffect(() => {
    const target = canvas.current;
    const picture = box.current;
    if (!target || !picture) return;
    const gestures = toolGestures(stage, () => space.current);
    const stopGestures = listen(target, {
      ...gestures,
      start: (kind, at) => {
        picture.focus({ preventScroll: true });
        gestures.start(kind, at);
      },
    });
    const stopKeys = receiveKeys({
      root: picture.closest<HTMLElement>(".viewer") ?? picture,
      picture,
      press: ({ name }, key, shift) => {
        if (name === "help") onHelp();
        return name === "help" || obey(stage, name, key, shift);
      },
      space: (held) => {
        space.current = held;
        picture.classList.toggle("panning", held);
      },
    });
    return () => {
      stopGestures();
      stopKeys();
    };
  }, [stage, onHelp]);

  return (
    // biome-ignore lint/a11y/useSemanticElements: a picture with its readouts is no set of fields.
    <div
      ref={box}
      class={`viewer-stage tool-${view.tool.value} ${comparing}`}
      dir="ltr"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: keys move, measure and probe the picture that has the focus.
      tabIndex={0}
      aria-label={t("viewer.picture")}
      aria-keyshortcuts="?"
    >
      <canvas ref={canvas} role="img" aria-label={label} data-testid="viewer-canvas" />
      {panesOf(stage).map((pane, index, all) => (
        <div
          key={pane.x}
          class={`viewer-pane${pane.width < NARROW_PX ? " narrow" : ""}`}
          style={{ left: `${pane.x}px`, width: `${pane.width}px` }}
        >
          <OrientationLetters orientation={orientation} marked={index === all.length - 1} />
        </div>
      ))}
      {comparing !== "off" && (
        <>
          <span
            class="viewer-caption before"
            style={comparing === "swipe" ? { right: `${(1 - view.divider.value) * 100}%` } : {}}
          >
            {t("viewer.bare")}
          </span>
          <span
            class="viewer-caption after"
            style={{ left: `${comparing === "swipe" ? view.divider.value * 100 : 50}%` }}
          >
            {t("viewer.found")}
          </span>
        </>
      )}
      {comparing === "swipe" && <Divider view={view} width={stage.size.value.width} />}
      <RulerList stage={stage} />
      <div class="viewer-readouts" dir={language.value.dir}>
        <OrientationWarning orientation={orientation} />
        <Readouts stage={stage} picture={gray} />
      </div>
    </div>
  );
}

/** Draws in the next frame after anything that is seen has changed, and never else. */
function drawWhenChanged(canvas: HTMLCanvasElement, stage: Stage, layers: Layers): () => void {
  // Opaque: what is below need not be mixed in. Drawn by the processor: a table over all pixels makes a new picture in
  // each frame of a window drag, and to hand that to a GPU (an emulated one above all) takes longer than to draw it.
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) return () => {};
  const palette = readPalette(canvas);
  let frame = 0;
  const draw = () => {
    frame = 0;
    const { width, height } = stage.size.peek();
    if (width === 0 || height === 0) return;
    const density = Math.min(window.devicePixelRatio || 1, MAX_DENSITY);
    const [across, down] = [Math.round(width * density), Math.round(height * density)];
    if (canvas.width !== across || canvas.height !== down) {
      canvas.width = across;
      canvas.height = down;
    }
    drawScene(context, compose(stage, layers, palette, density));
  };
  const ask = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const stop = effect(() => {
    for (const part of [...Object.values(stage.view), ...Object.values(stage.marks)]) void part.value;
    void [stage.size.value, language.value];
    ask();
  });
  // The page's typeface may come after the first frame.
  void document.fonts.ready.then(ask);
  return () => {
    stop();
    if (frame !== 0) cancelAnimationFrame(frame);
    frame = -1;
  };
}
