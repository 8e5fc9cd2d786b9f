import { useState } from "preact/hooks";
import { ApiProblem, api } from "../api/client";
import { t } from "../i18n";
import { Notice, ProblemNotice } from "../ui/notice";
import { useTitle } from "./title";

/** Asks for an API key and keeps it as a session of this browser, out of scripts' reach. */
export function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  useTitle(t("signIn.title"));
  const [key, setKey] = useState("");
  const [error, setError] = useState<unknown>(null);

  async function submit(event: Event) {
    event.preventDefault();
    try {
      await api.signIn(key.trim());
      onSignedIn();
    } catch (caught) {
      setError(caught);
    }
  }

  return (
    <div class="column">
      <form
        class="panel stack"
        style={{ maxWidth: "28rem", marginInline: "auto" }}
        onSubmit={submit}
        data-testid="sign-in"
      >
        <h1>{t("signIn.title")}</h1>
        <p class="quiet">{t("signIn.hint")}</p>
        <div class="field">
          <label for="api-key">{t("signIn.key")}</label>
          <input
            id="api-key"
            class="input"
            type="password"
            autocomplete="current-password"
            required
            dir="ltr"
            data-testid="api-key"
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </div>
        {error instanceof ApiProblem && error.status === 401 ? (
          <Notice tone="error" title={t("signIn.wrong")} />
        ) : (
          error !== null && <ProblemNotice error={error} />
        )}
        <button class="button primary" type="submit">
          {t("signIn.submit")}
        </button>
      </form>
    </div>
  );
}
