import type { Analysis } from "../api/types";
import { t } from "../i18n";
import { ReviewForm } from "./review-form";
import { ReviewList } from "./review-list";
import "./review.css";

/** What readers said of an analysis, and the form to say it. */
export function ReviewPart({
  analysis,
  onReviewed,
}: {
  analysis: Analysis;
  onReviewed: (analysis: Analysis) => void;
}) {
  const { reviews } = analysis;
  return (
    <section class="findings-part review" aria-labelledby="review-title">
      <h2 id="review-title">{t("review.title")}</h2>
      {reviews.length > 0 && <ReviewList reviews={reviews} />}
      <ReviewForm analysis={analysis} onReviewed={onReviewed} />
    </section>
  );
}
