import { useEffect, useState } from "preact/hooks";
import { t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { formatOf, listSamples, pictureOf, type Sample } from "./samples";
import "./samples.css";

/** Bundled synthetic scans: one click analyzes one. */
export function SampleList({ open, onPick }: { open: boolean; onPick: (sample: Sample) => Promise<void> }) {
  const [samples, setSamples] = useState<Sample[]>([]);
  const [busy, setBusy] = useState<string | null>(null);

  useEffect(() => {
    const stop = new AbortController();
    // Without its samples the page is whole: nothing is said.
    listSamples(stop.signal).then(setSamples, () => setSamples([]));
    return () => stop.abort();
  }, []);

  async function pick(sample: Sample) {
    setBusy(sample.name);
    try {
      await onPick(sample);
    } finally {
      setBusy(null);
    }
  }

  if (samples.length === 0) return null;
  return (
    <details class="fold samples" open={open}>
      <summary data-testid="samples-open">
        {t("analyze.samples")} <span class="quiet small">{t("analyze.samplesHint")}</span>
      </summary>
      <ul class="samples-list">
        {samples.map((sample) => (
          <li key={sample.name}>
            <button
              type="button"
              class="samples-item"
              data-testid={`sample-${sample.name}`}
              disabled={busy !== null}
              aria-busy={busy === sample.name}
              onClick={() => void pick(sample)}
            >
              <SamplePicture sample={sample} picture={pictureOf(sample, samples)} />
              <span class="samples-name">{word("tumor", sample.tumor_class)}</span>
              <span class="quiet small">
                {sample.view ? word("view", sample.view) : word("kind", sample.kind)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

function SamplePicture({ sample, picture }: { sample: Sample; picture: string | null }) {
  const format = formatOf(sample);
  return (
    <span class="samples-picture">
      {picture ? (
        <img src={picture} alt="" width="256" height="256" loading="lazy" />
      ) : (
        <Icon name="cube" size={40} />
      )}
      {format && <span class="samples-format ltr">{format}</span>}
    </span>
  );
}
