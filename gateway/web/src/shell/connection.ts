// Whether the gateway can be reached. Told by failed calls and by the browser; asked again until it answers.
import { effect, signal } from "@preact/signals";

const AGAIN_MS = 3000;
export const offline = signal(false);
let timer: ReturnType<typeof setTimeout> | null = null;

/** To be called when a call got no answer: shows it, and asks until the gateway is back. */
export function lost(): void {
  offline.value = true;
  if (timer === null) timer = setTimeout(ask, AGAIN_MS);
}

/** Resolves when the gateway answers again; at once where the connection is not lost. */
export function back(): Promise<void> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (offline.value) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}

async function ask(): Promise<void> {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  try {
    const answer = await fetch("/health/live", { cache: "no-store" });
    if (answer.ok) {
      offline.value = false;
      return;
    }
  } catch {
    // Still no answer: asked again below.
  }
  if (timer === null) timer = setTimeout(ask, AGAIN_MS);
}

window.addEventListener("offline", lost);
window.addEventListener("online", () => void ask());
