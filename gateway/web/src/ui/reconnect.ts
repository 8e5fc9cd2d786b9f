import { useEffect } from "preact/hooks";
import { ConnectionLost } from "../api/client";
import { lost, offline } from "../shell/connection";

/** Says that the connection is lost where `error` is that, and asks `again` when the gateway is back. */
export function useReconnect(error: unknown, again: () => void): void {
  const cut = error instanceof ConnectionLost;
  const away = offline.value;
  useEffect(() => {
    if (cut) lost();
  }, [cut]);
  useEffect(() => {
    if (!away && cut) again();
  }, [away]);
}
