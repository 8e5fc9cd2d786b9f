// Which files are one exam: pictures one each, DICOM files by their study, NIfTI files by name and folder.
import type { Exam, Grouping, ScanFile, ScanKind } from "./exam";
import { readName } from "./sequence-name";

/** The exams that `files` make, in the order in which their first files came. */
export function grouped(files: readonly ScanFile[], grouping: Grouping): Exam[] {
  if (files.length === 0) return [];
  if (grouping === "together") return [exam(files)];
  if (grouping === "separate") return files.map((file) => exam([file]));
  const folders = oneExamFolders(files);
  const groups = new Map<string, ScanFile[]>();
  for (const file of files) {
    const key = groupOf(file, folders);
    const group = groups.get(key);
    if (group) group.push(file);
    else groups.set(key, [file]);
  }
  return [...groups.values()].flatMap(withoutTwins).map(exam);
}

function groupOf(file: ScanFile, folders: ReadonlySet<string>): string {
  if (file.kind === "dicom") return `dicom ${file.study ?? ""}`;
  if (file.kind !== "volume") return `alone ${file.id}`;
  const { sequence, labels, stem } = readName(file.file.name);
  if (sequence === null && !labels) return `alone ${file.id}`;
  return folders.has(file.folder) ? `folder ${file.folder}` : `volume ${file.folder}/${stem}`;
}

/** Folders whose volumes name each sequence once: one exam, whatever else their names say. */
function oneExamFolders(files: readonly ScanFile[]): Set<string> {
  const found = new Map<string, string[]>();
  for (const { file, folder, kind } of files) {
    const sequence = kind === "volume" ? readName(file.name).sequence : null;
    if (sequence) found.set(folder, [...(found.get(folder) ?? []), sequence]);
  }
  const once = [...found].filter(([, names]) => new Set(names).size === names.length);
  return new Set(once.map(([folder]) => folder));
}

/** Two volumes of one sequence are two exams: nothing says which of the other files go with which. */
function withoutTwins(group: ScanFile[]): ScanFile[][] {
  if (group[0]?.kind !== "volume") return [group];
  const names = group.map(({ file }) => readName(file.name).sequence).filter((name) => name !== null);
  return new Set(names).size === names.length ? [group] : group.map((file) => [file]);
}

function exam(files: readonly ScanFile[]): Exam {
  const first = files[0] as ScanFile;
  const kinds = new Set<ScanKind>(files.map(({ kind }) => kind));
  return { id: first.id, kind: kinds.size === 1 ? first.kind : "unknown", title: title(files, first), files };
}

function title(files: readonly ScanFile[], first: ScanFile): string {
  if (files.length === 1) return first.file.name;
  const names = files.map(({ file }) => readName(file.name));
  const sequences = names.flatMap(({ sequence }) => (sequence ? [sequence] : []));
  const folder = commonFolder(files.map((file) => file.folder));
  return folder || names[0]?.stem || sequences.join(", ") || first.file.name;
}

function commonFolder(folders: readonly string[]): string {
  const [first = [], ...others] = folders.map((folder) => folder.split("/").filter(Boolean));
  const shared = first.filter((part, index) => others.every((other) => other[index] === part));
  return shared.at(-1) ?? "";
}
