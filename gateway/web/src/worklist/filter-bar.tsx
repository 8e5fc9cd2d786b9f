import { useEffect, useRef, useState } from "preact/hooks";
import { t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { FILTER_NAMES, FILTERS, type FilterName, type Filters, isFiltered } from "./filters";

const TYPING_MS = 250;
/** Where the words of a filter's values are. */
const SECTIONS: Record<FilterName, string> = {
  state: "state",
  verdict: "verdict",
  label: "tumor",
  kind: "kind",
};

export function FilterBar({ filters, onChange }: { filters: Filters; onChange: (filters: Filters) => void }) {
  const [typed, setTyped] = useState(filters.q ?? "");
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef({ filters, onChange });
  latest.current = { filters, onChange };
  useEffect(() => setTyped(filters.q ?? ""), [filters.q]);
  useEffect(() => () => stop(timer.current), []);

  function search(text: string) {
    setTyped(text);
    stop(timer.current);
    timer.current = setTimeout(() => {
      latest.current.onChange({ ...latest.current.filters, q: text.trim() });
    }, TYPING_MS);
  }

  function clear() {
    stop(timer.current);
    setTyped("");
    onChange({});
  }

  return (
    <search class="worklist-filters">
      <div class="worklist-search">
        <Icon name="search" size={16} />
        <input
          type="search"
          class="input"
          aria-label={t("worklistPage.search")}
          placeholder={t("worklistPage.search")}
          data-testid="search"
          maxLength={100}
          value={typed}
          onInput={(event) => search(event.currentTarget.value)}
        />
      </div>
      {FILTER_NAMES.map((name) => (
        <select
          key={name}
          class={`input ${filters[name] ? "set" : ""}`}
          aria-label={word("worklistPage", name)}
          data-testid={`filter-${name}`}
          value={filters[name] ?? ""}
          onChange={(event) => onChange({ ...filters, [name]: event.currentTarget.value })}
        >
          <option value="">{word("worklistPage", `all_${name}`)}</option>
          {FILTERS[name].map((value) => (
            <option key={value} value={value}>
              {word(SECTIONS[name], value)}
            </option>
          ))}
        </select>
      ))}
      {isFiltered(filters) && (
        <button type="button" class="button plain" data-testid="filters-clear" onClick={clear}>
          {t("worklistPage.clear")}
        </button>
      )}
    </search>
  );
}

function stop(timer: ReturnType<typeof setTimeout> | null): void {
  if (timer !== null) clearTimeout(timer);
}
