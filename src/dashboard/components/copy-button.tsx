import { useState } from "../state/hooks.ts";
import { Button } from "./button.tsx";
import { showToast } from "./toast.tsx";

const SHOWN_MS = 2_000;

/** A button that copies `text`. `what` names it, as in “Copy the token”. */
export function CopyButton(props: { text: string; what: string; isSmall?: boolean; onCopied?: () => void }) {
  const { text, what, isSmall, onCopied } = props;
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    if (!(await copyText(text))) {
      showToast("The browser did not allow copying. Select the text and copy it by hand.", "bad");
      return;
    }
    setCopied(true);
    onCopied?.();
    showToast(`Copied ${what}.`);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <Button isSmall={isSmall ?? false} label={`${isCopied ? "Copied" : "Copy"} ${what}`} onClick={copy}>
      {isCopied ? "Copied" : "Copy"}
    </Button>
  );
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
export function CopyField({ text, what, onCopied }: { text: string; what: string; onCopied?: () => void }) {
  return (
    <div class="copy-field">
      <pre>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} what={what} isSmall {...(onCopied && { onCopied })} />
    </div>
  );
}
