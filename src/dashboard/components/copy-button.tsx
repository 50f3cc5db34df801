import { useState } from "hono/jsx/dom";
import { Button } from "./button.tsx";
import { showToast } from "./toast.tsx";

const SHOWN_MS = 2_000;

/** Copies `text`; `what` names it, as in “Copy the token”. */
export function CopyButton({ text, what, isSmall }: { text: string; what: string; isSmall?: boolean }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    if (!(await copyText(text))) {
      showToast("The browser did not let the page copy. Select the text and copy it by hand.", "bad");
      return;
    }
    setCopied(true);
    showToast(`Copied ${what}.`);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <Button isSmall={isSmall ?? false} label={`Copy ${what}`} onClick={copy}>
      {isCopied ? "Copied" : "Copy"}
    </Button>
  );
}

/** Without TLS a browser has no clipboard to offer but on its own machine, hence the second way. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text);
  }
}

function copySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "off-screen";
  // Inside an open dialog nothing outside of it can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

/** A text to copy, such as a token or a command, with its button. */
export function CopyField({ text, what }: { text: string; what: string }) {
  return (
    <div class="copy-field">
      <pre>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} what={what} isSmall />
    </div>
  );
}
