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
  /** Another thing to do with the fields, by a button beside the submit button. */
  other?: { label: string; onSubmit: (fields: Record<string, string>) => unknown };
  /** Shown beside the buttons. */
  actions?: Child;
  class?: string;
  children?: Child;
}

/** A form that sends nothing by itself: it calls `onSubmit`, one call at a time. */
export function Form(props: FormProps) {
  const { onSubmit, submit, kind = "primary", other, actions, class: own, children } = props;
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);
  const act = async (form: HTMLFormElement, run = onSubmit) => {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await run(fieldsOf(form));
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
        {other ? (
          <button
            type="button"
            class="button"
            onClick={(event: Event) => {
              const { form } = event.currentTarget as HTMLButtonElement;
              if (form) void act(form, other.onSubmit);
            }}
          >
            {other.label}
          </button>
        ) : null}
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
