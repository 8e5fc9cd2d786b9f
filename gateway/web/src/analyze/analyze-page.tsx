import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { number, t } from "../i18n";
import { useTitle } from "../shell/title";
import { ProblemNotice } from "../ui/notice";
import "./analyze.css";
import { DropZone } from "./drop-zone";
import { type Exam, fault, sizeBytes } from "./exam";
import { grouped } from "./grouping";
import { identified } from "./identify";
import { dismiss, enqueue, isOver, isUploading, queue } from "./queue";
import { QueueList } from "./queue-list";
import { RecordFields } from "./record-fields";
import { isAge, NO_RECORD, USUAL } from "./request";
import { SampleList } from "./sample-list";
import { filesOf, type Sample } from "./samples";
import { SettingsFields } from "./settings-fields";
import { megabytes } from "./size";
import { StagedList } from "./staged-list";
import { clear, stage, exams as staged } from "./staging";

/** Where a scan comes in. */
export function AnalyzePage() {
  const { route } = useLocation();
  useTitle(t("analyze.title"));
  const [record, setRecord] = useState(NO_RECORD);
  const [settings, setSettings] = useState(USUAL);
  const [error, setError] = useState<unknown>(null);
  // An exam that was started alone is read as soon as it has an address.
  const alone = useRef<number | null>(null);
  const exams = staged.value;
  const entries = queue.value;
  const sendable = exams.filter((exam) => fault(exam) === null);

  useEffect(() => {
    const entry = entries.find(({ id }) => id === alone.current);
    if (!entry?.analysis) return;
    alone.current = null;
    dismiss([entry.id]);
    route(`/analyses/${entry.analysis.id}`);
  }, [entries, route]);

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (isUploading()) event.preventDefault();
    };
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, []);

  function start(chosen: readonly Exam[]) {
    const isAlone = chosen.length === 1 && queue.value.every(isOver);
    const [first] = enqueue(chosen, record, settings);
    alone.current = isAlone && first !== undefined ? first : null;
    // The next patient's exam must not go with this one's record.
    setRecord(NO_RECORD);
  }

  /** False where the record cannot be sent; the reader is led there. */
  function isRecordFit(): boolean {
    if (isAge(record.age)) return true;
    const age = document.getElementById("record-age");
    const fold = age?.closest("details");
    // What is folded away takes no focus.
    if (fold) fold.open = true;
    age?.focus();
    return false;
  }

  function startStaged() {
    if (!isRecordFit()) return;
    start(sendable);
    clear();
  }

  async function startSample(sample: Sample) {
    if (!isRecordFit()) return;
    setError(null);
    try {
      start(grouped(await identified(await filesOf(sample)), "together"));
    } catch (caught) {
      setError(caught);
    }
  }

  const isEmpty = exams.length === 0 && entries.length === 0;
  return (
    <div class="column stack analyze">
      <h1>{t("analyze.title")}</h1>
      <DropZone compact={!isEmpty} onFiles={(files) => void stage(files).catch(setError)} />
      {error !== null && <ProblemNotice error={error} />}
      <QueueList />
      {exams.length > 0 && <StagedList exams={exams} />}
      <div class="analyze-folds">
        <RecordFields draft={record} examCount={sendable.length} onChange={setRecord} />
        <SettingsFields settings={settings} onChange={setSettings} />
      </div>
      {exams.length > 0 && (
        <div class="analyze-start">
          <p class="quiet small">
            {t("analyze.ready", { count: sendable.length })} ·{" "}
            <span class="ltr">{megabytes(sendable.reduce((sum, exam) => sum + sizeBytes(exam), 0))}</span>
          </p>
          <button
            type="button"
            class="button primary"
            data-testid="analyze-start"
            disabled={sendable.length === 0}
            onClick={startStaged}
          >
            {sendable.length > 1
              ? t("analyze.startMany", { count: number(sendable.length) })
              : t("analyze.start")}
          </button>
        </div>
      )}
      <SampleList open={isEmpty} onPick={startSample} />
    </div>
  );
}
