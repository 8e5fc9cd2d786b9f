import type { Review } from "../api/types";
import { moment, t, word } from "../i18n";
import { Icon, type IconName } from "../ui/icon";

const SHAPES: Record<Review["decision"], IconName> = {
  agree: "answer",
  disagree: "close",
  corrected: "reset",
};

/** Earlier reviews, the newest first. */
export function ReviewList({ reviews }: { reviews: readonly Review[] }) {
  return (
    <ol class="review-list" reversed aria-label={t("review.earlier")}>
      {[...reviews].reverse().map((review) => (
        <li key={review.created_at} data-testid="review-entry" data-decision={review.decision}>
          <Icon name={SHAPES[review.decision]} size={16} />
          <div>
            <p>
              <strong>
                {review.decision === "corrected"
                  ? t("review.said.corrected", { label: word("tumor", review.label ?? "") })
                  : word("review.said", review.decision)}
              </strong>
            </p>
            {review.comment && (
              <p class="review-comment" dir="auto">
                {review.comment}
              </p>
            )}
            <p class="quiet small">
              <bdi>{review.reviewer ?? t("review.nobody")}</bdi> · {moment(review.created_at)}
            </p>
          </div>
        </li>
      ))}
    </ol>
  );
}
