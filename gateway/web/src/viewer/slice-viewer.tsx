import type { Signal } from "@preact/signals";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { ConnectionLost } from "../api/client";
import type { Analysis } from "../api/types";
import { language, t, word } from "../i18n";
import { lost, offline } from "../shell/connection";
import { useLoaded } from "../ui/loaded";
import { ProblemNotice } from "../ui/notice";
import { useReconnect } from "../ui/reconnect";
import type { Layers } from "./compose";
import { diametersOf, explainedLabel, heatLayer, maskLayers } from "./found";
import { shapeOf } from "./geometry";
import { orient } from "./orientation";
import { OverlayControls } from "./overlay-controls";
import { readPalette } from "./palette";
import { type Gray, loadGray, Tinted } from "./picture";
import { ShortcutsDialog } from "./shortcuts-dialog";
import { newStage } from "./stage";
import { StageView } from "./stage-view";
import { Toolbar } from "./toolbar";
import { newViewState, type ViewState } from "./view-state";
import "./viewer.css";

interface Pictures {
  input: Gray;
  mask: Gray | null;
}

/** The scan of a slice, with what was found drawn over it. Viewers that are given one `view` move together. */
export default function SliceViewer({ analysis, view }: { analysis: Analysis; view?: ViewState }) {
  const { input, mask } = analysis.links;
  const pictures = useLoaded<Pictures | null>(
    async (signal) => {
      if (!input) return null;
      const [scan, outline] = await Promise.all([
        loadGray(input, signal),
        mask ? loadGray(mask, signal) : null,
      ]);
      return { input: scan, mask: outline };
    },
    [input, mask],
  );
  useReconnect(pictures.error, pictures.again);
  const state = useMemo(() => view ?? newViewState(), [view]);
  return (
    <div class="viewer" data-testid="viewer" data-kind="slice">
      {pictures.value ? (
        <LoadedViewer key={analysis.id} analysis={analysis} pictures={pictures.value} view={state} />
      ) : (
        <div class="viewer-empty">
          {pictures.error ? (
            <ProblemNotice error={pictures.error} onRetry={pictures.again} />
          ) : pictures.loading ? (
            <span class="spinner" role="status" aria-label={t("shell.loading")} />
          ) : (
            <p class="quiet">{t("viewer.noPicture")}</p>
          )}
        </div>
      )}
    </div>
  );
}

function LoadedViewer({
  analysis,
  pictures,
  view,
}: {
  analysis: Analysis;
  pictures: Pictures;
  view: ViewState;
}) {
  const [listed, setListed] = useState(false);
  const openList = useCallback(() => setListed(true), []);
  const stage = useMemo(() => {
    const { rows, columns } = pictures.input;
    const spacingMm = analysis.input?.spacing_mm ?? null;
    return newStage(view, shapeOf(rows, columns, spacingMm), spacingMm);
  }, [pictures, view]);
  const heat = useHeat(analysis.links.saliency, view.heat);
  const fixed = useMemo(() => {
    const { outline } = readPalette(document.documentElement);
    return {
      picture: new Tinted(pictures.input),
      mask: pictures.mask && maskLayers(pictures.mask, outline),
      diameters: diametersOf(analysis),
    };
  }, [pictures]);
  const layers = useMemo<Layers>(() => ({ ...fixed, heat }), [fixed, heat]);
  const orientation = useMemo(() => orient(analysis), [analysis]);
  return (
    <>
      <Toolbar stage={stage} onHelp={openList} />
      <StageView
        stage={stage}
        layers={layers}
        gray={pictures.input}
        orientation={orientation}
        label={described(analysis)}
        onHelp={openList}
      />
      <OverlayControls
        view={view}
        finding={word("tumor", explainedLabel(analysis)).toLocaleLowerCase(language.value.code)}
        outlined={fixed.mask !== null}
        measured={fixed.diameters.length > 0}
        mapped={Boolean(analysis.links.saliency)}
      />
      <ShortcutsDialog open={listed} onClose={() => setListed(false)} />
    </>
  );
}

/** The heat map, fetched when it is first wanted; where it cannot be had, `wanted` does not say that it is seen. */
function useHeat(path: string | undefined, wanted: Signal<boolean>): HTMLCanvasElement | null {
  const [heat, setHeat] = useState<HTMLCanvasElement | null>(null);
  const away = offline.value;
  useEffect(() => {
    if (!path || !wanted.value || heat || away) return;
    const stop = new AbortController();
    loadGray(path, stop.signal).then(
      (saliency) => {
        if (!stop.signal.aborted) setHeat(heatLayer(saliency));
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        if (error instanceof ConnectionLost) lost();
        else wanted.value = false;
      },
    );
    return () => stop.abort();
  }, [path, wanted.value, heat, away]);
  return heat;
}

function described({ view, input, segmentation }: Analysis): string {
  return t("viewer.described", {
    view: view ? word("view", view.label) : t("viewer.scan"),
    columns: input?.columns ?? 0,
    rows: input?.rows ?? 0,
    outline: t(segmentation?.area_px ? "viewer.withOutline" : "viewer.withoutOutline"),
  });
}
