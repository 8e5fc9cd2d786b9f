import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ConnectionLost } from "../api/client";
import type { Analysis } from "../api/types";
import { lost, offline } from "../shell/connection";
import { ProblemNotice } from "../ui/notice";
import { HeldPlace } from "./held-place";

type Viewer = ComponentType<{ analysis: Analysis }>;

/** The volume viewer, whose code is fetched when the first volume is read. */
export function LazyVolume({ analysis }: { analysis: Analysis }) {
  const [viewer, setViewer] = useState<{ Viewer: Viewer } | null>(null);
  const [failed, setFailed] = useState(false);
  const away = offline.value;
  useEffect(() => {
    if (viewer || away) return;
    setFailed(false);
    import("../volume/volume-viewer").then(
      (module) => setViewer({ Viewer: module.default }),
      () => {
        setFailed(true);
        lost();
      },
    );
  }, [away]);
  if (viewer) return <viewer.Viewer analysis={analysis} />;
  return failed ? <ProblemNotice error={new ConnectionLost()} /> : <HeldPlace running />;
}
