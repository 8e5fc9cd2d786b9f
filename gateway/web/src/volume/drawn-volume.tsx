import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, ConnectionLost } from "../api/client";
import type { Analysis, SliceListing } from "../api/types";
import { useLoaded } from "../ui/loaded";
import { useReconnect } from "../ui/reconnect";
import { actionOf, perform } from "./keys";
import { labelColors } from "./labels";
import type { Diameters } from "./marks";
import { MaskPanel } from "./mask-panel";
import type { Reason } from "./plain-volume";
import { PLANES } from "./planes";
import { Probe } from "./probe";
import type { VolumeScene } from "./scene";
import { Shortcuts } from "./shortcuts";
import { Stage, type VolumeFiles } from "./stage";
import { Strip } from "./strip";
import { Toolbar } from "./toolbar";
import { VolumeView } from "./view";
import { WindowPanel } from "./window-panel";

interface DrawnVolumeProps {
  analysis: Analysis;
  listing: SliceListing;
  onBroken: (why: Reason) => void;
}

/** The volume as NiiVue draws it, with all that can be done to it. */
export function DrawnVolume({ analysis, listing, onBroken }: DrawnVolumeProps) {
  const view = useMemo(() => new VolumeView(listing), [listing]);
  const labels = useMemo(() => labelColors(listing), [listing]);
  const [sequence, setSequence] = useState<string>(listing.sequences[0] ?? "");
  const [scene, setScene] = useState<VolumeScene | null>(null);
  const root = useRef<HTMLDivElement>(null);
  const [help, setHelp] = useState(false);
  const files = useFiles(analysis, sequence);
  useReconnect(files.error, files.again);
  useEffect(() => {
    // A lost connection comes back, and the files are asked for again.
    if (files.error && !(files.error instanceof ConnectionLost)) onBroken("noFile");
  }, [files.error]);

  useEffect(() => {
    const zoom = (factor: number) => {
      const next = view.zoomBy(factor);
      if (scene && view.layout.value !== "render") view.panMm.value = scene.panFor(view.at.value, next);
      view.zoom.value = next;
    };
    const pressed = (event: KeyboardEvent) => {
      const action = root.current ? actionOf(event, root.current) : null;
      if (action === null) return;
      event.preventDefault();
      if (action === "help") setHelp(true);
      else perform(action, view, zoom);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [view, scene]);

  const planes = view.layout.value === "axial" ? PLANES.slice(0, 1) : PLANES;
  return (
    <div class="volume-desk" ref={root}>
      <Toolbar
        view={view}
        listing={listing}
        sequence={sequence}
        onSequence={setSequence}
        onHelp={() => setHelp(true)}
      />
      <Stage
        view={view}
        files={files.loading ? null : files.value}
        labels={labels}
        diametersMm={useMemo(() => largest(analysis), [analysis])}
        onScene={setScene}
        onBroken={onBroken}
      />
      {view.layout.value !== "render" && (
        <>
          <Probe view={view} scene={scene} labels={labels} />
          <div class="volume-rails">
            {planes.map((plane) => (
              <Strip
                key={plane}
                plane={plane}
                slices={view.slices(plane)}
                index={view.index(plane, view.told.value)}
                now={() => view.index(plane, view.at.peek())}
                counts={listing.planes[plane]?.outlined_px ?? null}
                keySlice={listing.key_slice?.plane === plane ? listing.key_slice.index : null}
                onGo={(index) => {
                  view.plane.value = plane;
                  view.goTo(plane, index);
                }}
              />
            ))}
          </div>
        </>
      )}
      <div class="volume-panels">
        {labels.length > 0 && <MaskPanel view={view} labels={labels} />}
        {view.layout.value !== "render" && <WindowPanel view={view} />}
      </div>
      <Shortcuts open={help} onClose={() => setHelp(false)} />
    </div>
  );
}

/** The sequence and the mask; the mask is asked for once. */
function useFiles(analysis: Analysis, sequence: string) {
  const mask = useRef<ArrayBuffer | null>(null);
  return useLoaded<VolumeFiles>(
    async (signal) => {
      const path = `${analysis.links.self}/sequences/${sequence}.nii.gz`;
      const link = analysis.links.mask;
      const [picture, outline] = await Promise.all([
        api.bytes(path, signal),
        mask.current ?? (link ? api.bytes(link, signal) : null),
      ]);
      mask.current = outline;
      return { sequence: picture, mask: outline };
    },
    [analysis.id, sequence],
  );
}

function largest(analysis: Analysis): Diameters | null {
  const lesion = analysis.segmentation?.volume?.lesions[0];
  return lesion ? { longest: lesion.longest_axis_mm, perpendicular: lesion.perpendicular_axis_mm } : null;
}
