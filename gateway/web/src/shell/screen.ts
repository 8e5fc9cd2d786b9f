import type { ComponentType } from "preact";
import { lazy } from "preact-iso";
import { back, lost } from "./connection";
import { Outdated } from "./outdated";

/** How often code is asked for before it counts as gone. */
export const TRIES = 3;

/** A screen whose code is fetched when it is first shown; once more when the connection is back. Where the gateway
 * answers each time and the code is not there, it has a newer page than this one. */
export function screen<Props>(load: () => Promise<{ default: ComponentType<Props> }>) {
  return lazy(async () => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      try {
        return await load();
      } catch {
        lost();
        await back();
      }
    }
    return { default: Outdated };
  });
}
