import { t } from "../i18n";
import { Icon } from "../ui/icon";

export function CompareButton({
  disabled,
  title,
  onClick,
}: {
  disabled: boolean;
  title?: string;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      class="button primary"
      data-testid="compare-selected"
      disabled={disabled}
      title={title}
      onClick={onClick}
    >
      <Icon name="compare" size={18} />
      {t("worklistPage.compare")}
    </button>
  );
}
