import { shellQuote } from "../../../shell-quote.ts";
import { useState } from "../../state/hooks.ts";
import { serverUrl } from "../../state/server-url.ts";
import { text } from "../../texts/texts.ts";
import { Button } from "../button.tsx";
import { Notice } from "../card.tsx";
import { CopyField } from "../copy-button.tsx";
import { Dialog } from "../dialog.tsx";

interface TokenDialogProps {
  title: string;
  token: string;
  /** How long the old token stays valid. */
  note?: string;
  onClose: () => void;
}

/** Shows a new token, which cannot be shown again. */
export function TokenDialog({ title, token, note, onClose }: TokenDialogProps) {
  const [isCopied, setCopied] = useState(false);
  const [isWarned, setWarned] = useState(false);
  const canClose = () => {
    if (isCopied || isWarned) return true;
    setWarned(true);
    return false;
  };
  return (
    <Dialog title={title} onClose={onClose} canClose={canClose}>
      <Notice tone="warn">{text("tokenDialog.copyNow")}</Notice>
      {note ? <p>{note}</p> : null}
      <div class="stack token">
        <h3>{text("tokenDialog.token")}</h3>
        <CopyField text={token} what={text("tokenDialog.copyToken")} onCopied={() => setCopied(true)} />
        <h3>{text("tokenDialog.curl")}</h3>
        <CopyField
          text={firstRequest(serverUrl(), token)}
          what={text("tokenDialog.copyCommand")}
          onCopied={() => setCopied(true)}
        />
      </div>
      {isWarned && !isCopied ? <Notice tone="bad">{text("tokenDialog.notCopied")}</Notice> : null}
      <div class="form-actions">
        <Button kind="primary" onClick={() => (canClose() ? onClose() : undefined)}>
          {text(isWarned && !isCopied ? "tokenDialog.closeAnyway" : "tokenDialog.done")}
        </Button>
      </div>
    </Dialog>
  );
}

function firstRequest(origin: string, token: string): string {
  return [
    `curl ${shellQuote(`${origin}/api/ask`)}`,
    `-H ${shellQuote(`Authorization: Bearer ${token}`)}`,
    `-d '{"content": "Hello!"}'`,
  ].join(" \\\n  ");
}
