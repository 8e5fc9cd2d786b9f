// What a chosen file is, by its name and, for DICOM, by its first bytes. The gateway looks for itself and has the last word.
import type { ScanFile, ScanKind } from "./exam";

/** A file with the folder it was in ("" for a loose one). */
export interface ChosenFile {
  file: File;
  folder: string;
}

const ENDINGS: ReadonlyArray<readonly [RegExp, ScanKind]> = [
  [/\.(png|jpe?g|webp|tiff?|bmp)$/i, "picture"],
  [/\.nii(\.gz)?$/i, "volume"],
  [/\.zip$/i, "archive"],
  [/\.(dcm|dicom|ima)$/i, "dicom"],
];
/** What file systems and exports leave beside scans. */
const BYSTANDERS = /^(\..*|thumbs\.db|desktop\.ini|dicomdir)$/i;
const HEAD_BYTES = 16 * 1024;
const MAGIC_AT = 128;
let last = 0;

/** Bystanders of folders are left out. */
export async function identified(chosen: readonly ChosenFile[]): Promise<ScanFile[]> {
  const scans = chosen.filter(({ file }) => !BYSTANDERS.test(file.name));
  return Promise.all(scans.map(identify));
}

async function identify({ file, folder }: ChosenFile): Promise<ScanFile> {
  const told = ENDINGS.find(([pattern]) => pattern.test(file.name))?.[1] ?? null;
  last += 1;
  const found: ScanFile = { id: last, file, folder, kind: told ?? "unknown", study: null };
  if (told !== null && told !== "dicom") return found;
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const isDicom = told === "dicom" || textAt(head, MAGIC_AT, 4) === "DICM";
  return isDicom ? { ...found, kind: "dicom", study: studyOf(head) } : found;
}

/** StudyInstanceUID (0020,000D), of explicit or implicit little-endian headers; null where it is not found. */
function studyOf(head: Uint8Array): string | null {
  for (let at = 0; at + 8 < head.length; at += 1) {
    if (head[at] !== 0x20 || head[at + 1] !== 0 || head[at + 2] !== 0x0d || head[at + 3] !== 0) continue;
    const isExplicit = textAt(head, at + 4, 2) === "UI";
    const low = head[at + (isExplicit ? 6 : 4)] ?? 0;
    const uid = textAt(head, at + 8, Math.min(low, 64)).replace(/[\0 ]+$/, "");
    if (/^[0-9]+(\.[0-9]+)+$/.test(uid)) return uid;
  }
  return null;
}

function textAt(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}
