import { useCallback, useEffect, useState } from "preact/hooks";

export interface Loaded<T> {
  value: T | null;
  error: unknown;
  loading: boolean;
  /** Asks again; what is there stays until the answer is. */
  again: () => void;
  set: (value: T) => void;
}

interface Answer<T> {
  /** What was asked. */
  of: string;
  value: T | null;
  error: unknown;
  loading: boolean;
}

/** What `load` answers, asked again when `keys` change and given up when the component goes. An answer to other keys is
 * never shown under these: it may be another patient's. */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: ReadonlyArray<string | undefined>,
): Loaded<T> {
  const of = JSON.stringify(keys);
  const begun: Answer<T> = { of, value: null, error: null, loading: true };
  const [state, setState] = useState(begun);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => (before.of === of ? { ...before, loading: true, error: null } : begun));
    load(stop.signal).then(
      (value) => {
        // What comes after the bytes (a picture is decoded) hears of no signal.
        if (!stop.signal.aborted) setState({ of, value, error: null, loading: false });
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setState((before) => ({ ...before, error, loading: false }));
      },
    );
    return () => stop.abort();
  }, [asked, of]);
  const again = useCallback(() => setAsked((count) => count + 1), []);
  const set = useCallback((value: T) => setState({ of, value, error: null, loading: false }), [of]);
  const { value, error, loading } = state.of === of ? state : begun;
  return { value, error, loading, again, set };
}
