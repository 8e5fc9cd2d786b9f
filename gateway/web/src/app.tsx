import { useEffect, useState } from "preact/hooks";
import { LocationProvider, Route, Router } from "preact-iso";
import { AnalyzePage } from "./analyze/analyze-page";
import { api, ConnectionLost, whenUnauthorized } from "./api/client";
import { t } from "./i18n";
import { Bar } from "./shell/bar";
import { lost, offline } from "./shell/connection";
import { NotFound } from "./shell/not-found";
import { screen } from "./shell/screen";
import { SignIn } from "./shell/sign-in";

// The other screens: fetched when they are first shown, or before, as soon as the first one rests.
const ReadPage = screen(() => import("./findings/read-page"));
const WorklistPage = screen(() => import("./worklist/worklist-page"));
const ComparePage = screen(() => import("./compare/compare-page"));
const ModelsPage = screen(() => import("./models/models-page"));
const ModelPage = screen(() => import("./models/model-page"));

const SCREENS = [ReadPage, WorklistPage, ComparePage, ModelsPage, ModelPage];
const REST_MS = 1500;

let shown = location.pathname;

/** To the new screen, as a page that is loaded anew would; not when only a filter in the address has changed. */
function moveFocus(): void {
  if (location.pathname === shown) return;
  shown = location.pathname;
  document.getElementById("content")?.focus({ preventScroll: true });
}

/** A file that is dropped where nothing takes it would replace the page; the first screen takes files anywhere. */
function stayWithFiles(): () => void {
  const stop = new AbortController();
  for (const kind of ["dragover", "drop"] as const) {
    window.addEventListener(
      kind,
      (event) => {
        if (location.pathname === "/") return;
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
      },
      { signal: stop.signal },
    );
  }
  return () => stop.abort();
}

export function App() {
  const [locked, setLocked] = useState(false);
  const [signedIn, setSignedIn] = useState(false);
  useEffect(() => whenUnauthorized(() => setLocked(true)), []);
  useEffect(() => {
    let current = true;
    // Without an answer the page's own calls say so.
    api.session().then(
      ({ required, signed_in }) => {
        if (!current) return;
        setSignedIn(signed_in);
        // Before a scan is chosen and sent in vain.
        if (required && !signed_in) setLocked(true);
      },
      () => setSignedIn(false),
    );
    return () => {
      current = false;
    };
  }, [locked]);
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const one of SCREENS) void one.preload();
    }, REST_MS);
    return () => clearTimeout(timer);
  }, []);

  useEffect(stayWithFiles, []);

  async function signOut() {
    try {
      await api.signOut();
    } catch (error) {
      if (error instanceof ConnectionLost) lost();
      return;
    }
    // From the beginning: what is in memory (scans, findings, the work list) is not for whoever comes next.
    location.assign("/");
  }

  return (
    <LocationProvider>
      <a class="button skip" href="#content">
        {t("shell.skip")}
      </a>
      <Bar onSignOut={signedIn && !locked ? signOut : undefined} />
      <aside class="research" aria-label={t("shell.disclaimerLabel")} data-testid="disclaimer">
        {t("shell.disclaimer")}
      </aside>
      <main id="content" tabindex={-1}>
        {locked ? (
          <SignIn onSignedIn={() => setLocked(false)} />
        ) : (
          <Router onRouteChange={() => moveFocus()}>
            <Route path="/" component={AnalyzePage} />
            <Route path="/analyses/:id" component={ReadPage} />
            <Route path="/worklist" component={WorklistPage} />
            <Route path="/compare/:baseline/:followup" component={ComparePage} />
            <Route path="/models" component={ModelsPage} />
            <Route path="/models/:name" component={ModelPage} />
            <Route default component={NotFound} />
          </Router>
        )}
      </main>
      {offline.value && (
        <p class="offline" role="status" data-testid="offline">
          {t("shell.offline")}
        </p>
      )}
    </LocationProvider>
  );
}
