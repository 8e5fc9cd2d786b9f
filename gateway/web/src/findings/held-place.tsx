import { t } from "../i18n";

/** The picture's place while there is none. */
export function HeldPlace({ running }: { running: boolean }) {
  return (
    <div class={`read-held ${running ? "running" : ""}`}>
      <svg viewBox="0 0 120 140" aria-hidden="true">
        <ellipse cx="60" cy="70" rx="50" ry="62" />
        <ellipse cx="60" cy="70" rx="42" ry="54" />
        <path d="M60 16v30M60 98v26" />
        <path d="M57 52c-9-5-15 2-12 11 2 6 6 8 5 15s-7 10-4 13c4 3 10-6 11-15zM63 52c9-5 15 2 12 11-2 6-6 8-5 15s7 10 4 13c-4 3-10-6-11-15z" />
      </svg>
      {running && <p class="quiet small">{t("findings.running")}</p>}
    </div>
  );
}
