import type { Child } from "hono/jsx/dom";
import { errorText } from "../api/request.ts";
import { useState } from "../state/hooks.ts";
import { classNames } from "./class-names.ts";
import { showToast } from "./toast.tsx";

export interface ButtonProps {
  kind?: "primary" | "plain" | "danger" | "quiet";
  type?: "button" | "submit";
  /** A label for screen readers, for when the text alone does not say which item the button is for. */
  label?: string;
  /** Is shown on hover, for a button that is only an icon. */
  tip?: string;
  isSmall?: boolean;
  disabled?: boolean;
  /** While a returned promise is pending, the button is busy. A rejection is shown as a toast. */
  onClick?: () => unknown;
  children?: Child;
}

export function Button({ kind = "plain", type = "button", label, tip, isSmall, ...rest }: ButtonProps) {
  const { disabled, onClick, children } = rest;
  const [isBusy, setBusy] = useState(false);
  const act = async () => {
    if (!onClick || isBusy) return;
    const result = onClick();
    if (!(result instanceof Promise)) return;
    setBusy(true);
    try {
      await result;
    } catch (error) {
      showToast(errorText(error), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type={type}
      class={classNames("button", kind, isSmall && "small")}
      aria-label={label ?? null}
      {...(tip !== undefined && { title: tip })}
      aria-busy={isBusy ? "true" : null}
      disabled={disabled ?? false}
      onClick={(event: Event) => {
        // What the click changes may make it a submit button, which would submit its form right away.
        if (type === "button") event.preventDefault();
        void act();
      }}
    >
      {children}
    </button>
  );
}

/** A link that looks like a button. It leads to a page (`#/…`) or, with `download`, to a file. */
export function LinkButton(props: {
  href: string;
  kind?: "primary" | "plain" | "quiet";
  download?: boolean;
  isSmall?: boolean;
  children?: Child;
}) {
  const { href, kind = "plain", download, isSmall, children } = props;
  return (
    <a class={classNames("button", kind, isSmall && "small")} href={href} download={download ?? false}>
      {children}
    </a>
  );
}
