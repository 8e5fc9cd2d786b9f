import { useEffect, useState } from "preact/hooks";
import { number, t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { type Exam, fault, sizeBytes } from "./exam";
import { readName } from "./sequence-name";
import { megabytes } from "./size";

/** One exam before it is sent: what it is made of, and a way to take it out. */
export function ExamCard({ exam, onRemove }: { exam: Exam; onRemove: () => void }) {
  const wrong = fault(exam);
  return (
    <li class={`exam-card ${wrong ? "wrong" : ""}`} data-testid="exam-card" data-kind={exam.kind}>
      <ExamPicture exam={exam} />
      <div class="exam-card-words">
        <p class="exam-card-title ltr" title={exam.title}>
          {exam.title}
        </p>
        <p class="quiet small">
          {summary(exam)} · <span class="ltr">{megabytes(sizeBytes(exam))}</span>
        </p>
        <Sequences exam={exam} />
        {wrong && (
          <p class="exam-card-fault small" role="alert" data-testid="problem">
            {word("analyze", wrong)}
          </p>
        )}
      </div>
      <button
        type="button"
        class="button plain icon"
        aria-label={t("analyze.remove", { name: exam.title })}
        title={t("analyze.removeShort")}
        onClick={onRemove}
      >
        <Icon name="close" size={16} />
      </button>
    </li>
  );
}

function summary(exam: Exam): string {
  const kind = word("analyze", `kind_${exam.kind}`);
  return exam.files.length > 1 ? t("analyze.kindOfFiles", { kind, count: exam.files.length }) : kind;
}

function Sequences({ exam }: { exam: Exam }) {
  if (exam.files.length === 1 || (exam.kind !== "volume" && exam.kind !== "picture")) return null;
  const told = exam.files.map(({ file }) => readName(file.name).sequence).filter((name) => name !== null);
  const names = [...new Set(told)];
  return (
    <p class="row exam-card-sequences">
      {names.map((name) => (
        <span class="exam-card-sequence" key={name}>
          {word("analyze", `sequence_${name}`)}
        </span>
      ))}
    </p>
  );
}

function ExamPicture({ exam }: { exam: Exam }) {
  const file = exam.kind === "picture" ? exam.files[0]?.file : undefined;
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!file) return;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return (
    <span class="exam-card-picture">
      {url ? (
        <img src={url} alt="" onError={() => setUrl(null)} />
      ) : (
        <Icon name={exam.kind === "unknown" ? "review" : exam.kind === "picture" ? "eye" : "cube"} />
      )}
      {exam.files.length > 1 && <span class="exam-card-count">{number(exam.files.length)}</span>}
    </span>
  );
}
