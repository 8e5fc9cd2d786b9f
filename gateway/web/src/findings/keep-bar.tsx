import { useRef } from "preact/hooks";
import type { Analysis } from "../api/types";
import { t } from "../i18n";
import { Icon } from "../ui/icon";
import { CopyLink } from "./copy-link";
import { DeleteDialog } from "./delete-dialog";
import { DownloadsDialog } from "./downloads-dialog";

/** What can be done with an analysis: files, print, PDF, link, delete. */
export function KeepBar({ analysis }: { analysis: Analysis }) {
  const downloads = useRef<HTMLDialogElement>(null);
  const removal = useRef<HTMLDialogElement>(null);
  const { report, report_pdf: pdf } = analysis.links;
  const finished = analysis.state === "succeeded";
  return (
    <div class="findings-keep">
      {finished && (
        <button
          class="button"
          type="button"
          data-testid="downloads"
          aria-haspopup="dialog"
          onClick={() => downloads.current?.showModal()}
        >
          <Icon name="download" size={18} />
          {t("findings.download")}
        </button>
      )}
      {report && (
        <a
          class="button"
          href={report}
          target="_blank"
          rel="noopener"
          data-testid="print"
          title={t("findings.printHint")}
        >
          <Icon name="print" size={18} />
          {t("findings.print")}
        </a>
      )}
      {pdf && (
        <a class="button" href={pdf} target="_blank" rel="noopener" data-testid="pdf">
          <span class="ltr">PDF</span>
        </a>
      )}
      <span class="findings-keep-gap" />
      <CopyLink path={`/analyses/${encodeURIComponent(analysis.id)}`} />
      <button
        class="button icon plain danger"
        type="button"
        data-testid={`delete-${analysis.id}`}
        aria-label={t("findings.delete")}
        title={t("findings.delete")}
        onClick={() => removal.current?.showModal()}
      >
        <Icon name="trash" size={18} />
      </button>
      {finished && <DownloadsDialog analysis={analysis} dialog={downloads} />}
      <DeleteDialog id={analysis.id} dialog={removal} />
    </div>
  );
}
