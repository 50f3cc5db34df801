import { useState } from "../state/hooks.ts";
import { text } from "../texts/texts.ts";
import { Button } from "./button.tsx";
import { showToast } from "./toast.tsx";

const SHOWN_MS = 2_000;

interface CopyButtonProps {
  /** A function makes a long text only once it is copied. */
  text: string | (() => string);
  /** Names the text, as in “Copy the token”. */
  what: string;
  isSmall?: boolean;
  onCopied?: () => void;
}

/** A button that copies a text. */
export function CopyButton(props: CopyButtonProps) {
  const { text: copied, what, isSmall, onCopied } = props;
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    if (!(await copyWithToast(typeof copied === "string" ? copied : copied(), what))) return;
    setCopied(true);
    onCopied?.();
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <Button
      isSmall={isSmall ?? false}
      label={text(isCopied ? "copy.button.done" : "copy.button.label", { what })}
      onClick={copy}
    >
      {text(isCopied ? "copy.button.short" : "copy.button")}
    </Button>
  );
}

/** Copies a text, and says so, or why not. Resolves with whether it was copied. */
export async function copyWithToast(copied: string, what: string): Promise<boolean> {
  const isCopied = await copyText(copied);
  if (isCopied) showToast(text("copy.done", { what }));
  else showToast(text("copy.refused"), "bad");
  return isCopied;
}

/**
 * Copies a text. The fallback is for pages without TLS, where browsers offer no clipboard except on
 * localhost.
 */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "off-screen";
  // While a dialog is open, nothing outside of it can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

/** A text to copy, such as a token or a command, with a copy button. */
export function CopyField(props: {
  text: string;
  /** Shown in place of the text, which has a secret. */
  shown?: string;
  what: string;
  onCopied?: () => void;
}) {
  const { text, shown = text, what, onCopied } = props;
  return (
    <div class="copy-field">
      <pre>
        <code>{shown}</code>
      </pre>
      <CopyButton text={text} what={what} isSmall {...(onCopied && { onCopied })} />
    </div>
  );
}
