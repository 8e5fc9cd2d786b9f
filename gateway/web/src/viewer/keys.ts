// Keys reach the viewer that has the focus; pressed nowhere in particular, the one that was used last.
import { effect, signal } from "@preact/signals";
import { keep, kept } from "../shell/storage";
import { keyOf, type Shortcut, shortcutOf, takesKeys } from "./shortcuts";

const STORED = "neurogate.keys-anywhere";
/** Whether single keys work without the focus on the scan. Can be turned off: some speak to their computer. */
export const anywhere = signal(kept(STORED) !== "no");
effect(() => keep(STORED, anywhere.value ? "yes" : "no"));

interface Receiver {
  root: HTMLElement;
  picture: HTMLElement;
  /** Answers whether the key meant something. */
  press: (shortcut: Shortcut, key: string, shift: boolean) => boolean;
  /** The space bar was pressed or let go on the picture. */
  space: (held: boolean) => void;
}

const receivers: Receiver[] = [];

/** Gives `receiver` the keys that are meant for it until the returned function is called. */
export function receiveKeys(receiver: Receiver): () => void {
  receivers.push(receiver);
  const used = () => {
    receivers.splice(receivers.indexOf(receiver), 1);
    receivers.unshift(receiver);
  };
  receiver.root.addEventListener("pointerdown", used);
  receiver.root.addEventListener("focusin", used);
  if (receivers.length === 1) {
    document.addEventListener("keydown", down);
    document.addEventListener("keyup", up);
  }
  return () => {
    receivers.splice(receivers.indexOf(receiver), 1);
    receiver.root.removeEventListener("pointerdown", used);
    receiver.root.removeEventListener("focusin", used);
    if (receivers.length === 0) {
      document.removeEventListener("keydown", down);
      document.removeEventListener("keyup", up);
    }
  };
}

function down(event: KeyboardEvent): void {
  if (takesKeys(event.target) || document.querySelector("dialog[open]")) return;
  const receiver = receiverOf(event);
  if (!receiver) return;
  const onPicture = event.target === receiver.picture;
  if (event.key === " " && onPicture) {
    receiver.space(true);
    event.preventDefault();
    return;
  }
  const shortcut = shortcutOf(event);
  if (!shortcut || (shortcut.onPicture && !onPicture)) return;
  if (!receiver.press(shortcut, keyOf(event), event.shiftKey)) return;
  event.preventDefault();
  // Who uses one key will want the next: the arrows are the picture's from now on.
  if (!receiver.root.contains(document.activeElement)) receiver.picture.focus({ preventScroll: true });
}

function up(event: KeyboardEvent): void {
  if (event.key === " ") for (const receiver of receivers) receiver.space(false);
}

function receiverOf(event: KeyboardEvent): Receiver | undefined {
  const { target } = event;
  const focused = receivers.find(({ root }) => target instanceof Node && root.contains(target));
  return focused ?? (anywhere.value && !inControl(target) ? receivers[0] : undefined);
}

/** Whether the key was pressed in another part of the page that has the focus. */
function inControl(target: EventTarget | null): boolean {
  return target instanceof Element && target !== document.body && target.id !== "content";
}
