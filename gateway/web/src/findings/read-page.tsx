import { useMemo } from "preact/hooks";
import { useRoute } from "preact-iso";
import { ApiProblem, api } from "../api/client";
import type { Analysis } from "../api/types";
import { t, word } from "../i18n";
import { useTitle } from "../shell/title";
import { useLoaded } from "../ui/loaded";
import { ProblemNotice } from "../ui/notice";
import { useReconnect } from "../ui/reconnect";
import SliceViewer from "../viewer/slice-viewer";
import { FindingsColumn } from "./findings-column";
import { HeldPlace } from "./held-place";
import { LazyVolume } from "./lazy-volume";
import { Unfinished } from "./unfinished";
import "./read.css";

/** The reading desk: the scan, and beside it what was found. */
export default function ReadPage() {
  const { params } = useRoute();
  const id = params.id ?? "";
  return <ReadingDesk key={id} id={id} />;
}

function ReadingDesk({ id }: { id: string }) {
  const { value: analysis, error, again, set } = useLoaded((signal) => api.analysis(id, signal), [id]);
  const gone = error instanceof ApiProblem && error.status === 404;
  useReconnect(error, again);
  useTitle(analysis?.tumor ? word("tumor", analysis.tumor.label) : t("findings.title"));

  if (!analysis) {
    return (
      <div class="column stack">
        {error ? (
          <>
            <h1>{gone ? t("shell.notFound") : t("findings.title")}</h1>
            <ProblemNotice error={error} onRetry={gone ? undefined : again} />
            {gone && (
              <p class="row">
                <a class="button primary" href="/">
                  {t("findings.again")}
                </a>
                <a class="button" href="/worklist">
                  {t("findings.toWorklist")}
                </a>
              </p>
            )}
          </>
        ) : (
          <p class="row quiet" role="status">
            <span class="spinner" aria-hidden="true" />
            {t("findings.loading")}
          </p>
        )}
      </div>
    );
  }
  const finished = analysis.state === "succeeded";
  // Seen in print alone, where a viewer would be a black page; a lazy picture is fetched no earlier.
  const picture = analysis.links.overlay ?? analysis.links.input;
  return (
    <div class="read-desk" data-state={analysis.state}>
      <div class={`read-scan ${finished && analysis.input?.kind !== "slice" ? "volume-scan" : ""}`}>
        {finished ? <Scan analysis={analysis} /> : <HeldPlace running={isRunning(analysis)} />}
      </div>
      {finished && <img class="read-print" src={picture} alt="" loading="lazy" />}
      {finished ? (
        <FindingsColumn analysis={analysis} onReviewed={set} />
      ) : (
        <Unfinished analysis={analysis} onEnd={again} />
      )}
    </div>
  );
}

function isRunning({ state }: Analysis): boolean {
  return state === "queued" || state === "running";
}

/** The viewer. A review changes the analysis but not the scan: the viewer is not told, and stays as it is. */
function Scan({ analysis }: { analysis: Analysis }) {
  const shown = useMemo(() => analysis, [analysis.id, analysis.state]);
  if (shown.input?.kind === "slice") return <SliceViewer analysis={shown} />;
  return <LazyVolume analysis={shown} />;
}
