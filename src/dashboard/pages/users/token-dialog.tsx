import { shellQuote } from "../../../shell-quote.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { CopyField } from "../../components/copy-button.tsx";
import { Dialog } from "../../components/dialog.tsx";
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
  return (
    <Dialog title={title} onClose={onClose}>
      <Notice tone="warn">Copy the token now. The dashboard cannot show it again.</Notice>
      {note ? <p>{note}</p> : null}
      <div class="stack token">
        <h3>Token</h3>
        <CopyField text={token} what="the token" />
        <h3>Try it with curl</h3>
        <CopyField text={firstRequest(serverUrl(), token)} what="the command" />
      </div>
      <div class="form-actions">
        <Button kind="primary" onClick={onClose}>
          Done
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
