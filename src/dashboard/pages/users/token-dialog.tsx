import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { CopyField } from "../../components/copy-button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { shellQuote } from "../../shell-quote.ts";

interface TokenDialogProps {
  title: string;
  token: string;
  /** Until when the old one is valid too. */
  note?: string;
  onClose: () => void;
}

/** Shows a new token, this once. */
export function TokenDialog({ title, token, note, onClose }: TokenDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <Notice tone="warn">It is shown here only now: copy it before you close this.</Notice>
      {note ? <p>{note}</p> : null}
      <div class="stack token">
        <h3>Token</h3>
        <CopyField text={token} what="the token" />
        <h3>A first ask with it</h3>
        <CopyField text={firstAsk(location.origin, token)} what="the command" />
      </div>
      <div class="form-actions">
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      </div>
    </Dialog>
  );
}

function firstAsk(origin: string, token: string): string {
  return [
    `curl ${shellQuote(`${origin}/api/ask`)}`,
    `-H ${shellQuote(`Authorization: Bearer ${token}`)}`,
    `-d '{"content": "Hello!"}'`,
  ].join(" \\\n  ");
}
