// What was started, until the reader clears it away: three uploads at a time; whatever is full is asked again.
import { signal } from "@preact/signals";
import { ApiProblem, api, ConnectionLost } from "../api/client";
import type { Analysis, AnalysisState } from "../api/types";
import { FINAL_STATES } from "../api/types";
import { lost } from "../shell/connection";
import type { Exam } from "./exam";
import { formOf, type RecordDraft, type Settings } from "./request";

/** `pending` waits for its upload, `holding` for the gateway to have room; `refused` holds its `error`. */
export type EntryState = "pending" | "sending" | "holding" | "refused" | AnalysisState;

export interface Entry {
  id: number;
  exam: Exam;
  record: RecordDraft;
  settings: Settings;
  state: EntryState;
  analysis: Analysis | null;
  error: unknown;
  /** The gateway then knows an upload that comes again after its answer was lost. */
  idempotencyKey: string;
}

const UPLOADS_AT_ONCE = 3;
const LOST_AGAIN_S = 3;
const READ_EVERY_MS = 1200;
/** Jobs finish about in the order in which they came: the first ones that run are read. */
const READ_AT_ONCE = 6;

export const queue = signal<readonly Entry[]>([]);
const uploads = new Map<number, AbortController>();
let last = 0;
let reader: ReturnType<typeof setTimeout> | null = null;

const NOT_SENT: readonly EntryState[] = ["pending", "sending", "holding"];
const IN_WORK: readonly EntryState[] = ["queued", "running"];

/** Whether leaving the page would lose uploads. */
export function isUploading(): boolean {
  return queue.value.some(({ state }) => NOT_SENT.includes(state));
}

export function isOver(entry: Entry): boolean {
  return entry.state === "refused" || FINAL_STATES.some((state) => state === entry.state);
}

/** Adds exams at the end and begins; answers their entries' ids. */
export function enqueue(exams: readonly Exam[], record: RecordDraft, settings: Settings): number[] {
  const added = exams.map((exam): Entry => {
    last += 1;
    const begun = { state: "pending", analysis: null, error: null, idempotencyKey: newKey() } as const;
    return { id: last, exam, record, settings, ...begun };
  });
  queue.value = [...queue.value, ...added];
  begin();
  return added.map(({ id }) => id);
}

/** Ends an entry: its upload, or its job. */
export async function cancel(id: number): Promise<void> {
  const entry = queue.value.find((one) => one.id === id);
  if (!entry || isOver(entry)) return;
  if (!entry.analysis) {
    uploads.get(id)?.abort();
    change(id, { state: "canceled" });
    return;
  }
  try {
    const analysis = await api.cancel(entry.analysis.id);
    change(id, { analysis, state: analysis.state });
  } catch (error) {
    // It was over already: reading it again shows how.
    if (error instanceof ConnectionLost) lost();
    readSoon();
  }
}

/** Sends an entry once more, as a new analysis. */
export function again(id: number): void {
  change(id, { state: "pending", analysis: null, error: null, idempotencyKey: newKey() });
  begin();
}

/** Ends an entry's pause before its time. The gateway answers an upload that it has already with the same analysis. */
export function goOn(id: number): void {
  if (queue.value.find((one) => one.id === id)?.state !== "holding") return;
  change(id, { state: "pending" });
  begin();
}

/** Takes an entry off the list; its analysis stays in the work list. */
export function dismiss(ids: readonly number[]): void {
  queue.value = queue.value.filter(({ id }) => !ids.includes(id));
}

function change(id: number, what: Partial<Entry>): void {
  queue.value = queue.value.map((entry) => (entry.id === id ? { ...entry, ...what } : entry));
}

function begin(): void {
  for (const entry of queue.value) {
    if (uploads.size >= UPLOADS_AT_ONCE) return;
    if (entry.state === "pending" && !uploads.has(entry.id)) void send(entry);
  }
}

async function send(entry: Entry): Promise<void> {
  const stop = new AbortController();
  uploads.set(entry.id, stop);
  change(entry.id, { state: "sending" });
  try {
    const form = formOf(entry.exam, entry.record, entry.settings);
    const analysis = await api.analyze(form, stop.signal, entry.idempotencyKey);
    change(entry.id, { analysis, state: analysis.state, error: null });
    readSoon();
  } catch (error) {
    if (!stop.signal.aborted) refused(entry.id, error);
  } finally {
    uploads.delete(entry.id);
    begin();
  }
}

function refused(id: number, error: unknown): void {
  if (error instanceof ConnectionLost) {
    lost();
    hold(id, LOST_AGAIN_S, error);
  } else if (error instanceof ApiProblem && error.retryAfterS !== null) {
    hold(id, error.retryAfterS, error);
  } else {
    change(id, { state: "refused", error });
  }
}

function hold(id: number, seconds: number, error: unknown): void {
  change(id, { state: "holding", error });
  setTimeout(() => goOn(id), seconds * 1000);
}

function readSoon(): void {
  if (reader === null) reader = setTimeout(() => void read(), READ_EVERY_MS);
}

async function read(): Promise<void> {
  const inWork = queue.value.filter(({ state }) => IN_WORK.includes(state));
  await Promise.all(inWork.slice(0, READ_AT_ONCE).map(readOne));
  reader = null;
  if (queue.value.some(({ state }) => IN_WORK.includes(state))) readSoon();
}

async function readOne({ id, analysis }: Entry): Promise<void> {
  if (!analysis) return;
  try {
    const now = await api.analysis(analysis.id);
    change(id, { analysis: now, state: now.state });
  } catch (error) {
    if (error instanceof ConnectionLost) lost();
    // Erased meanwhile: there is nothing more to tell.
    else if (error instanceof ApiProblem && error.status === 404) dismiss([id]);
  }
}

/** 128 random bits. `crypto.randomUUID` is only there on https and loopback; workstations also use plain http. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
