// What was chosen and not yet started. It outlives the screen: whoever looks something up finds it again.
import { computed, signal } from "@preact/signals";
import type { Exam, Grouping, ScanFile } from "./exam";
import { grouped } from "./grouping";
import { type ChosenFile, identified } from "./identify";

const files = signal<readonly ScanFile[]>([]);
export const grouping = signal<Grouping>("auto");
export const exams = computed(() => grouped(files.value, grouping.value));
export const fileCount = computed(() => files.value.length);

export async function stage(chosen: readonly ChosenFile[] | Promise<ChosenFile[]>): Promise<void> {
  const added = await identified(await chosen);
  files.value = [...files.value, ...added];
}

export function unstage(exam: Exam): void {
  files.value = files.value.filter((file) => !exam.files.includes(file));
}

export function clear(): void {
  files.value = [];
  grouping.value = "auto";
}
