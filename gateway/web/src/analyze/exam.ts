// What one analysis is made of.
export type ScanKind = "picture" | "dicom" | "archive" | "volume" | "unknown";
export type Sequence = "t1" | "t1ce" | "t2" | "flair";
export type Grouping = "auto" | "separate" | "together";

/** A file that was chosen. `folder` is "" for a loose one; `study` is a DICOM file's StudyInstanceUID. */
export interface ScanFile {
  id: number;
  file: File;
  folder: string;
  kind: ScanKind;
  study: string | null;
}

export interface Exam {
  id: number;
  kind: ScanKind;
  /** What the reader knows it by: a file's or a folder's name. */
  title: string;
  files: readonly ScanFile[];
}

/** The gateway takes no more files in one study. */
const MAX_FILES = 4096;

/** What keeps an exam from being sent, before the gateway is asked. */
export function fault(exam: Exam): "empty" | "tooMany" | null {
  if (exam.files.length > MAX_FILES) return "tooMany";
  return exam.files.some(({ file }) => file.size === 0) ? "empty" : null;
}

/** Bytes of all files. */
export function sizeBytes(exam: Exam): number {
  return exam.files.reduce((sum, { file }) => sum + file.size, 0);
}
