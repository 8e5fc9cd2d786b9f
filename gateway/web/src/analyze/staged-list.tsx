import { t, word } from "../i18n";
import type { Exam, Grouping } from "./exam";
import { ExamCard } from "./exam-card";
import "./staged-list.css";
import { clear, fileCount, grouping, unstage } from "./staging";

const WAYS: readonly Grouping[] = ["auto", "separate", "together"];

/** What was chosen, as the exams it makes. */
export function StagedList({ exams }: { exams: readonly Exam[] }) {
  return (
    <section class="staged stack" aria-label={t("analyze.staged")}>
      <div class="row spread">
        <h2>{t("analyze.stagedCount", { count: exams.length })}</h2>
        <button type="button" class="button plain" onClick={clear}>
          {t("analyze.removeAll")}
        </button>
      </div>
      {fileCount.value > 1 && (
        <fieldset class="staged-ways">
          <legend class="visually-hidden">{t("analyze.grouping")}</legend>
          {WAYS.map((way) => (
            <label key={way} class="staged-way">
              <input
                type="radio"
                name="grouping"
                class="visually-hidden"
                data-testid={`grouping-${way}`}
                checked={grouping.value === way}
                onChange={() => {
                  grouping.value = way;
                }}
              />
              <span>{word("analyze", `grouping_${way}`)}</span>
            </label>
          ))}
        </fieldset>
      )}
      <ul class="staged-cards">
        {exams.map((exam) => (
          <ExamCard key={exam.id} exam={exam} onRemove={() => unstage(exam)} />
        ))}
      </ul>
    </section>
  );
}
