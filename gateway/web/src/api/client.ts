// The gateway's calls as the page makes them. Refusals are thrown as ApiProblem (RFC 9457).
import type {
  Analysis,
  AnalysisList,
  Comparison,
  ModelDetail,
  ModelList,
  Problem,
  SliceListing,
} from "./types";

/** What the gateway refused, and what to do: `detail` says it in words for people. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly requestId: string | null,
    readonly retryAfterS: number | null,
    readonly fields: ReadonlyArray<{ field: string; detail: string }> = [],
  ) {
    super(detail || title);
  }
}

/** No answer came: the connection is lost or the gateway is down. */
export class ConnectionLost extends Error {}

type Listener = () => void;
let onUnauthorized: Listener = () => {};
/** `listener` is called when the gateway wants a key. */
export function whenUnauthorized(listener: Listener): void {
  onUnauthorized = listener;
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ConnectionLost();
  }
  if (answer.ok) return answer;
  const problem = await readProblem(answer);
  if (problem.status === 401 && path !== "/session") onUnauthorized();
  throw problem;
}

/** The body of an answer, which may break off like the answer itself. */
async function read<T>(body: Promise<T>): Promise<T> {
  try {
    return await body;
  } catch (error) {
    if (error instanceof TypeError) throw new ConnectionLost();
    throw error;
  }
}

async function readProblem(answer: Response): Promise<ApiProblem> {
  const type = answer.headers.get("content-type") ?? "";
  const isJson = type.includes("json");
  const body: Partial<Problem> & Record<string, unknown> = isJson ? await read(answer.json()) : {};
  const retry = Number(answer.headers.get("retry-after"));
  return new ApiProblem(
    answer.status,
    String(body.code ?? `http_${answer.status}`),
    String(body.title ?? answer.statusText),
    String(body.detail ?? ""),
    body.request_id ? String(body.request_id) : answer.headers.get("x-request-id"),
    Number.isFinite(retry) && retry > 0 ? retry : null,
    (body.errors ?? []).map(({ loc, msg }) => ({ field: loc.join("."), detail: msg })),
  );
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return read((await call(path, init)).json() as Promise<T>);
}

function posted(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

const one = (id: string) => `/v1/analyses/${encodeURIComponent(id)}`;

/** What can be asked of the work list. */
export interface WorklistQuery {
  limit?: number;
  cursor?: string;
  state?: string;
  verdict?: string;
  label?: string;
  kind?: string;
  q?: string;
}

export interface ReviewEntry {
  decision: "agree" | "disagree" | "corrected";
  label: string | null;
  comment: string | null;
  reviewer: string | null;
}

export const api = {
  /** A job for what `form` holds (`file`, `clinical`, `options`): the queued analysis. Sent again with the same key it
   * is the same job. */
  analyze: (form: FormData, signal?: AbortSignal, idempotencyKey?: string) =>
    json<Analysis>("/v1/analyses", {
      method: "POST",
      body: form,
      headers: {
        Prefer: "respond-async",
        ...(idempotencyKey && { "Idempotency-Key": idempotencyKey }),
      },
      signal: signal ?? null,
    }),
  analysis: (id: string, signal?: AbortSignal) => json<Analysis>(one(id), { signal: signal ?? null }),
  analyses: (query: WorklistQuery, signal?: AbortSignal) => {
    const words = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const asked = new URLSearchParams(words.map(([key, value]) => [key, String(value)]));
    return json<AnalysisList>(`/v1/analyses?${asked}`, { signal: signal ?? null });
  },
  cancel: (id: string) => json<Analysis>(`${one(id)}/cancel`, { method: "POST" }),
  erase: async (id: string) => {
    await call(one(id), { method: "DELETE" });
  },
  review: (id: string, entry: ReviewEntry) => json<Analysis>(`${one(id)}/review`, posted(entry)),
  slices: (id: string, signal?: AbortSignal) =>
    json<SliceListing>(`${one(id)}/slices`, { signal: signal ?? null }),
  compare: (baseline: string, followup: string, signal?: AbortSignal) =>
    json<Comparison>("/v1/comparisons", { ...posted({ baseline, followup }), signal: signal ?? null }),
  models: (signal?: AbortSignal) => json<ModelList>("/v1/models", { signal: signal ?? null }),
  model: (name: string, signal?: AbortSignal) =>
    json<ModelDetail>(`/v1/models/${encodeURIComponent(name)}`, { signal: signal ?? null }),
  session: () => json<{ required: boolean; signed_in: boolean }>("/session"),
  signIn: async (key: string) => {
    await call("/session", posted({ key }));
  },
  signOut: async () => {
    await call("/session", { method: "DELETE" });
  },
  /** A file of an analysis, as bytes. */
  bytes: async (path: string, signal?: AbortSignal) =>
    read((await call(path, { signal: signal ?? null })).arrayBuffer()),
};
