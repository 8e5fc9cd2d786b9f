import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { Analysis } from "../api/types";
import { t } from "../i18n";
import { useTitle } from "../shell/title";
import { ProblemNotice } from "../ui/notice";
import { CompareButton } from "./compare-button";
import { DeleteDialog } from "./delete-dialog";
import { EmptyList } from "./empty-list";
import { FilterBar } from "./filter-bar";
import { addressOf, type Filters, filtersOf, isFiltered } from "./filters";
import { List } from "./list";
import { byAge } from "./listing";
import { SelectionBar } from "./selection-bar";
import { useListing } from "./use-listing";
import "./worklist.css";

function focusActiveRow(): void {
  document.querySelector<HTMLElement>('.worklist-row[tabindex="0"]')?.focus();
}

export default function WorklistPage() {
  const { query, route } = useLocation();
  useTitle(t("shell.worklist"));
  const filters = filtersOf(query);
  const shown = useRef<readonly Analysis[]>([]);
  const { listing, loading, error, scrollY, more, again, remove } = useListing(filters, () => shown.current);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [doomed, setDoomed] = useState<Analysis | null>(null);
  const chosen = listing.entries.filter(({ id }) => selected.has(id));

  // Who comes back finds the list where it was left.
  useLayoutEffect(() => window.scrollTo(0, scrollY), []);

  const select = useCallback((id: string) => {
    setSelected((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);

  function change(next: Filters) {
    window.scrollTo(0, 0);
    route(addressOf(next, location.search), true);
  }

  function compare() {
    const [first, second] = chosen;
    if (!first || !second) return;
    const [baseline, followup] = byAge(first, second);
    route(`/compare/${baseline.id}/${followup.id}`);
  }

  function close(isErased: boolean) {
    if (doomed && isErased) {
      remove(doomed.id);
      if (selected.has(doomed.id)) select(doomed.id);
    }
    setDoomed(null);
    // The focus was in the dialog: it goes to the row that took the place.
    if (isErased) requestAnimationFrame(focusActiveRow);
  }

  const { entries, cursor } = listing;
  const isEmpty = entries.length === 0 && !loading && error === null;
  return (
    <div class="worklist">
      <div class="row spread worklist-title">
        <h1>{t("shell.worklist")}</h1>
        <p class="quiet small worklist-count" role="status">
          {loading
            ? t("shell.loading")
            : t(cursor === null ? "worklistPage.count" : "worklistPage.countMore", { count: entries.length })}
        </p>
        {chosen.length === 0 && entries.length > 0 && (
          <CompareButton disabled title={t("worklistPage.chooseTwo")} onClick={compare} />
        )}
      </div>
      <FilterBar filters={filters} onChange={change} />
      {error !== null && <ProblemNotice error={error} onRetry={again} />}
      {isEmpty && <EmptyList isFiltered={isFiltered(filters)} onClear={() => change({})} />}
      {entries.length > 0 && (
        <div class={loading ? "worklist-stale" : ""}>
          <List
            entries={entries}
            hasMore={cursor !== null}
            selected={selected}
            shown={shown}
            onMore={more}
            onOpen={({ id }) => route(`/analyses/${id}`)}
            onSelect={select}
            onDelete={setDoomed}
          />
        </div>
      )}
      {chosen.length > 0 && (
        <SelectionBar chosen={chosen} onCompare={compare} onClear={() => setSelected(new Set())} />
      )}
      {doomed && <DeleteDialog key={doomed.id} analysis={doomed} onClose={close} />}
    </div>
  );
}
