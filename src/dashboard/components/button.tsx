import { type Child, useState } from "hono/jsx/dom";
import { textOf } from "../api/request.ts";
import { classNames } from "./class-names.ts";
import { showToast } from "./toast.tsx";

export interface ButtonProps {
  kind?: "primary" | "plain" | "danger" | "quiet";
  type?: "button" | "submit";
  /** For screen readers, where the text alone does not say which of many it is about. */
  label?: string;
  isSmall?: boolean;
  disabled?: boolean;
  /** What it does. While a promise is open the button is busy; a rejection is shown as a toast. */
  onClick?: () => unknown;
  children?: Child;
}

export function Button({ kind = "plain", type = "button", label, isSmall, ...rest }: ButtonProps) {
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
      showToast(textOf(error), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type={type}
      class={classNames("button", kind, isSmall && "small")}
      aria-label={label ?? null}
      aria-busy={isBusy ? "true" : null}
      disabled={disabled ?? false}
      onClick={() => void act()}
    >
      {children}
    </button>
  );
}

/** A link that looks as a button: to a page (`#/…`), or, with `download`, to a file. */
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
