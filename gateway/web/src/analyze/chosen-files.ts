// Files out of a drop, a file input or the clipboard, each with its folder.
import type { ChosenFile } from "./identify";

/** The files of an input; of one that picks folders with their paths. */
export function ofInput(input: HTMLInputElement): ChosenFile[] {
  return [...(input.files ?? [])].map((file) => ({ file, folder: folderOf(file.webkitRelativePath) }));
}

/** Dropped files, and those in dropped folders. To be called in the event itself: its items are gone afterwards. */
export function ofDrop(transfer: DataTransfer): Promise<ChosenFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  if (entries.every((entry) => entry === null)) {
    return Promise.resolve([...transfer.files].map((file) => ({ file, folder: "" })));
  }
  const found = entries.filter((entry) => entry !== null).map(inside);
  return Promise.all(found).then((lists) => lists.flat());
}

/** Pictures and files of the clipboard. Browsers call every pasted picture image.png: `name` tells them apart. */
export function ofPaste(transfer: DataTransfer | null, name: string): ChosenFile[] {
  return [...(transfer?.files ?? [])].map((file) => {
    const isPicture = file.name === "image.png";
    const named = isPicture ? new File([file], `${name}.png`, { type: file.type }) : file;
    return { file: named, folder: "" };
  });
}

async function inside(entry: FileSystemEntry): Promise<ChosenFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    return [{ file, folder: folderOf(entry.fullPath.slice(1)) }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  // A reader tells up to a hundred entries at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) break;
    found.push(...some);
  }
  found.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  return (await Promise.all(found.map(inside))).flat();
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}
