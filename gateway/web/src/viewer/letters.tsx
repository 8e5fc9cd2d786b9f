import { t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { EDGES, type Orientation } from "./orientation";

const named = (sides: string) => Array.from(sides, (side) => word("viewer.sides", side)).join(" ");

/** The patient's sides at the picture's edges; quiet where the file does not tell them. */
export function OrientationLetters({
  orientation,
  marked,
}: {
  orientation: Orientation | null;
  /** Whether these are the ones that tests look for: of two panes only one's. */
  marked: boolean;
}) {
  if (!orientation) return null;
  return (
    <>
      {EDGES.map((edge) => (
        <span
          key={edge}
          role="img"
          aria-label={named(orientation.edges[edge])}
          class={`viewer-letter ${edge}${orientation.assumed ? " assumed" : ""}`}
          data-testid={marked ? `orientation-${edge}` : undefined}
        >
          {orientation.edges[edge]}
        </span>
      ))}
    </>
  );
}

/** What the reader must know before he says left or right. */
export function OrientationWarning({ orientation }: { orientation: Orientation | null }) {
  if (orientation && !orientation.assumed) return null;
  return (
    <p class="viewer-warning" data-testid="orientation-warning">
      <Icon name="review" size={16} />
      <span>{t(orientation ? "viewer.sidesAssumed" : "viewer.sidesUnknown")}</span>
    </p>
  );
}
