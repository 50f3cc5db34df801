import { shellQuote } from "../../../shell-quote.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { CopyField } from "../../components/copy-button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { useState } from "../../state/hooks.ts";
import { serverUrl } from "../../state/server-url.ts";

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
      <Notice tone="warn">Copy the token now. The dashboard cannot show it again.</Notice>
      {note ? <p>{note}</p> : null}
      <div class="stack token">
        <h3>Token</h3>
        <CopyField text={token} what="the token" onCopied={() => setCopied(true)} />
        <h3>Try it with curl</h3>
        <CopyField
          text={firstRequest(serverUrl(), token)}
          what="the command"
          onCopied={() => setCopied(true)}
        />
      </div>
      {isWarned && !isCopied ? (
        <Notice tone="bad">
          You have not copied the token. Nobody can see it again after you close this dialog.
        </Notice>
      ) : null}
      <div class="form-actions">
        <Button kind="primary" onClick={() => (canClose() ? onClose() : undefined)}>
          {isWarned && !isCopied ? "Close without the token" : "Done"}
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
