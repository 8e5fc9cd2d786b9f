import { useId, useState } from "preact/hooks";
import { api, ConnectionLost } from "../api/client";
import type { Analysis, Decision } from "../api/types";
import { t, word } from "../i18n";
import { lost } from "../shell/connection";
import { keep, kept } from "../shell/storage";
import { ProblemNotice } from "../ui/notice";
import { DecisionCards } from "./decision-cards";

const NAME = "neurogate.reviewer";
const LABELS = ["glioma", "meningioma", "pituitary", "no_tumor"] as const;
const COMMENT_LENGTH = 2000;
const NAME_LENGTH = 100;

/** Agree, disagree or correct, with a comment. The name is remembered in this browser. */
export function ReviewForm({
  analysis,
  onReviewed,
}: {
  analysis: Analysis;
  onReviewed: (analysis: Analysis) => void;
}) {
  const id = useId();
  const [decision, setDecision] = useState<Decision | null>(null);
  const [label, setLabel] = useState("");
  const [comment, setComment] = useState("");
  const [name, setName] = useState(() => kept(NAME) ?? "");
  const [state, setState] = useState<"open" | "saving" | "saved">("open");
  const [fault, setFault] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);

  async function save(event: Event) {
    event.preventDefault();
    setError(null);
    setFault(null);
    if (decision === null) return setFault(t("review.choosePlease"));
    if (decision === "corrected" && !label) return setFault(t("review.labelPlease"));
    setState("saving");
    try {
      const reviewer = name.trim();
      const reviewed = await api.review(analysis.id, {
        decision,
        label: decision === "corrected" ? label : null,
        comment: comment.trim() || null,
        reviewer: reviewer || null,
      });
      keep(NAME, reviewer);
      setDecision(null);
      setLabel("");
      setComment("");
      setState("saved");
      onReviewed(reviewed);
    } catch (caught) {
      if (caught instanceof ConnectionLost) lost();
      setError(caught);
      setState("open");
    }
  }

  function choose(chosen: Decision) {
    setDecision(chosen);
    setFault(null);
    setState("open");
  }

  return (
    <form class="stack review-form" data-testid="review-form" onSubmit={save} noValidate>
      <p class="quiet small">{t("review.hint")}</p>
      <DecisionCards chosen={decision} onChoose={choose} />
      {decision === "corrected" && (
        <div class="field">
          <label for={`${id}-label`}>{t("review.label")}</label>
          <select
            id={`${id}-label`}
            class="input"
            data-testid="review-label"
            value={label}
            onChange={(event) => setLabel(event.currentTarget.value)}
          >
            <option value="">{t("review.choose")}</option>
            {LABELS.map((known) => (
              <option key={known} value={known}>
                {word("tumor", known)}
              </option>
            ))}
          </select>
        </div>
      )}
      <div class="field">
        <label for={`${id}-comment`}>
          {t("review.comment")} ({t("review.optional")})
        </label>
        <textarea
          id={`${id}-comment`}
          class="input"
          dir="auto"
          maxLength={COMMENT_LENGTH}
          data-testid="review-comment"
          value={comment}
          onInput={(event) => setComment(event.currentTarget.value)}
        />
      </div>
      <div class="field">
        <label for={`${id}-name`}>
          {t("review.name")} ({t("review.optional")})
        </label>
        <input
          id={`${id}-name`}
          class="input"
          dir="auto"
          maxLength={NAME_LENGTH}
          autocomplete="name"
          data-testid="review-name"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </div>
      {fault && (
        <p class="review-fault" role="alert">
          {fault}
        </p>
      )}
      {error !== null && <ProblemNotice error={error} />}
      <div class="row">
        <button class="button primary" type="submit" data-testid="review-save" disabled={state === "saving"}>
          {state === "saving" ? t("review.saving") : t("review.save")}
        </button>
        <span class="review-saved" role="status">
          {state === "saved" ? t("review.saved") : ""}
        </span>
      </div>
    </form>
  );
}
