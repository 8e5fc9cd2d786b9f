import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ConnectionLost } from "../api/client";
import type { Analysis } from "../api/types";
import { lost, offline } from "../shell/connection";
import { Outdated } from "../shell/outdated";
import { TRIES } from "../shell/screen";
import { ProblemNotice } from "../ui/notice";
import { HeldPlace } from "./held-place";

type Viewer = ComponentType<{ analysis: Analysis }>;

/** The volume viewer, whose code is fetched when the first volume is read. */
export function LazyVolume({ analysis }: { analysis: Analysis }) {
  const [viewer, setViewer] = useState<{ Viewer: Viewer } | null>(null);
  const [failures, setFailures] = useState(0);
  const away = offline.value;
  useEffect(() => {
    if (viewer || away || failures >= TRIES) return;
    import("../volume/volume-viewer").then(
      (module) => setViewer({ Viewer: module.default }),
      () => {
        setFailures(failures + 1);
        lost();
      },
    );
  }, [away]);
  if (viewer) return <viewer.Viewer analysis={analysis} />;
  if (failures >= TRIES) return <Outdated />;
  return failures > 0 ? <ProblemNotice error={new ConnectionLost()} /> : <HeldPlace running />;
}
