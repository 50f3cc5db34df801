import { type Child, useId } from "hono/jsx/dom";
import { useState } from "../state/hooks.ts";
import { hasContent } from "./has-content.ts";

interface FieldProps {
  label: string;
  /** The field's name in the form's data. */
  name: string;
  /** Shown below the field, and read by screen readers together with it. */
  hint?: Child;
  error?: string | undefined;
  type?: "text" | "password" | "number" | "search" | "date" | "datetime-local";
  /** The initial value. What is typed later is kept by the browser until the form is submitted. */
  value?: string | number;
  placeholder?: string;
  autocomplete?: string;
  required?: boolean;
  min?: number;
  max?: number;
  isFocused?: boolean;
  onInput?: (value: string) => void;
  onKeyDown?: (event: KeyboardEvent) => void;
}

/** A text field with its label. */
export function Field(props: FieldProps) {
  const { label, name, hint, error, type = "text", value, onInput, onKeyDown, ...others } = props;
  const { isFocused, ...rest } = others;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...withoutUndefined(rest)}
        id={id}
        name={name}
        type={type}
        value={value ?? ""}
        autofocus={isFocused ?? false}
        spellcheck={false}
        {...describedBy(id, hint, error)}
        onInput={(event: Event) => onInput?.((event.target as HTMLInputElement).value)}
        onKeyDown={(event: KeyboardEvent) => onKeyDown?.(event)}
      />
      <FieldHelp id={id} hint={hint} error={error} />
    </div>
  );
}

interface TextAreaProps {
  label: string;
  name: string;
  hint?: Child;
  error?: string | undefined;
  value?: string;
  rows?: number;
  placeholder?: string;
  onInput?: (value: string) => void;
  onKeyDown?: (event: KeyboardEvent) => void;
}

export function TextArea(props: TextAreaProps) {
  const { label, name, hint, error, value, onInput, onKeyDown, ...rest } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        {...withoutUndefined(rest)}
        id={id}
        name={name}
        value={value ?? ""}
        {...describedBy(id, hint, error)}
        onInput={(event: Event) => onInput?.((event.target as HTMLTextAreaElement).value)}
        onKeyDown={(event: KeyboardEvent) => onKeyDown?.(event)}
      />
      <FieldHelp id={id} hint={hint} error={error} />
    </div>
  );
}

interface SelectProps {
  label: string;
  name: string;
  hint?: Child;
  /** The option that is shown: with `onInput` at all times, without it until another one is chosen. */
  value?: string;
  options: readonly { value: string; label: string }[];
  onInput?: (value: string) => void;
}

export function Select({ label, name, hint, value, options, onInput }: SelectProps) {
  const id = useId();
  // With each update Hono sets the element to the given value, so a choice would be lost when a form shows an error.
  const [chosen, setChosen] = useState(value ?? options[0]?.value);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        name={name}
        value={onInput ? (value ?? options[0]?.value) : chosen}
        {...describedBy(id, hint)}
        onInput={(event: Event) => (onInput ?? setChosen)((event.target as HTMLSelectElement).value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <FieldHelp id={id} hint={hint} />
    </div>
  );
}

export function Checkbox(props: {
  label: string;
  name: string;
  isChecked?: boolean;
  onInput?: (isChecked: boolean) => void;
}) {
  const { label, name, isChecked, onInput } = props;
  return (
    <label class="checkbox">
      <input
        type="checkbox"
        name={name}
        checked={isChecked ?? false}
        onInput={(event: Event) => onInput?.((event.target as HTMLInputElement).checked)}
      />
      <span>{label}</span>
    </label>
  );
}

/** The hint and the error, below a field. */
export function FieldHelp({ id, hint, error }: { id: string; hint?: Child; error?: string | undefined }) {
  return (
    <>
      {hasContent(hint) ? (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      ) : null}
      {error ? (
        <p id={`${id}-error`} class="field-error">
          {error}
        </p>
      ) : null}
    </>
  );
}

/** Returns the attributes by which screen readers find what `FieldHelp` shows. */
export function describedBy(id: string, hint: Child, error?: string): Record<string, string | null> {
  const ids = [hasContent(hint) ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return { "aria-describedby": ids || null, "aria-invalid": error ? "true" : null };
}

function withoutUndefined(props: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined));
}
