import type { Child } from "hono/jsx/dom";
import { errorText } from "../api/request.ts";
import { useState } from "../state/hooks.ts";
import { Notice } from "./card.tsx";
import { classNames } from "./class-names.ts";

interface FormProps {
  /**
   * Called with the fields' trimmed texts by name. A rejection is shown above the buttons, and the form
   * stays.
   */
  onSubmit: (fields: Record<string, string>) => unknown;
  submit: string;
  kind?: "primary" | "danger";
  /** Shown beside the submit button. */
  actions?: Child;
  class?: string;
  children?: Child;
}

/** A form that sends nothing by itself: it calls `onSubmit`, one call at a time. */
export function Form({ onSubmit, submit, kind = "primary", actions, class: own, children }: FormProps) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);
  const act = async (form: HTMLFormElement) => {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit(fieldsOf(form));
    } catch (failure) {
      setError(errorText(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class={classNames("form", own)}
      onSubmit={(event: Event) => {
        event.preventDefault();
        void act(event.currentTarget as HTMLFormElement);
      }}
    >
      {children}
      {error ? <Notice tone="bad">{error}</Notice> : null}
      <div class="form-actions">
        <button type="submit" class={`button ${kind}`} aria-busy={isBusy ? "true" : null}>
          {submit}
        </button>
        {actions}
      </div>
    </form>
  );
}

function fieldsOf(form: HTMLFormElement): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") fields[name] = value.trim();
  }
  return fields;
}
