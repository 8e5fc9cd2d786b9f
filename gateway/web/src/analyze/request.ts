// What goes along with a scan, and the form of it all.
import type { Exam } from "./exam";
import { readName } from "./sequence-name";

/** The clinical record as it is typed; "" is not given. */
export interface RecordDraft {
  age: string;
  sex: string;
  who_grade: string;
  histological_type: string;
  race: string;
  ethnicity: string;
}

export interface Settings {
  segment: "auto" | "always" | "never";
  /** "" leaves it to the file. */
  sequence: string;
  heatmap: boolean;
  explain_metadata: boolean;
  priority: "routine" | "stat";
}

export const NO_RECORD: RecordDraft = {
  age: "",
  sex: "",
  who_grade: "",
  histological_type: "",
  race: "",
  ethnicity: "",
};

export const USUAL: Settings = {
  segment: "auto",
  sequence: "",
  heatmap: true,
  explain_metadata: false,
  priority: "routine",
};

const NUMBERS: ReadonlySet<string> = new Set(["age", "who_grade"]);

const MOST_YEARS = 130;

/** Whether the gateway takes this age. */
export function isAge(text: string): boolean {
  const years = Number(text);
  return text.trim() === "" || (years >= 0 && years <= MOST_YEARS);
}

/** The gateway's ClinicalRecord, or null where nothing is given. */
export function recordOf(draft: RecordDraft): Record<string, string | number> | null {
  const given = Object.entries(draft)
    .map(([field, text]) => [field, text.trim()] as const)
    .filter(([, text]) => text !== "");
  if (given.length === 0) return null;
  return Object.fromEntries(given.map(([field, text]) => [field, NUMBERS.has(field) ? Number(text) : text]));
}

/** The multipart form of one exam. */
export function formOf(exam: Exam, draft: RecordDraft, settings: Settings): FormData {
  const form = new FormData();
  const { sequence, ...options } = settings;
  const record = recordOf(draft);
  // Fields first: the gateway then knows what is asked before the bytes come.
  if (record) form.append("clinical", JSON.stringify(record));
  const isLone = exam.files.length === 1 && exam.kind !== "archive";
  const said = isLone && sequence ? { ...options, sequence } : options;
  form.append("options", JSON.stringify(said));
  const parts = partNames(exam);
  exam.files.forEach(({ file }, index) => {
    form.append(parts[index] ?? "file", file, file.name);
  });
  return form;
}

/** Several pictures are one slice only under its sequences' names; names of volumes are the gateway's to read. */
function partNames(exam: Exam): string[] {
  const names = exam.files.map(({ file }) => readName(file.name).sequence);
  const areSequences = exam.kind === "picture" && names.length > 1 && !names.includes(null);
  return names.map((name) => (areSequences && name ? name : "file"));
}
