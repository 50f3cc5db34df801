import { useRef } from "hono/jsx/dom";
import { api } from "../../../api/api.ts";
import { Button } from "../../../components/button.tsx";
import { Notice } from "../../../components/card.tsx";
import { CopyButton, CopyField } from "../../../components/copy-button.tsx";
import { useEffect, useState } from "../../../state/hooks.ts";
import type { MadePairing } from "./made-pairing.ts";
import { countdownText, pairingCommand, pairingLink } from "./pairing-text.ts";
import { QrCode } from "./qr-code.tsx";
import { usePairing, useSecondsLeft } from "./use-pairing.ts";

interface PairingViewProps {
  made: MadePairing;
  /** Called when the code was revoked or used. */
  onChange: () => void;
  onAgain: () => void;
  onClose: () => void;
}

/** Shows a pairing code until an agent has used it, it is revoked, or it has expired. */
export function PairingView({ made, onChange, onAgain, onClose }: PairingViewProps) {
  const { pairing, endMs } = made;
  const { found, error, lookUp } = usePairing(pairing.id);
  const left = useSecondsLeft(endMs);
  const [isRevoked, setRevoked] = useState(false);
  const isPaired = found.state === "paired";
  const isOpen = found.state === "open" && !isRevoked && left > 0;
  useEffect(() => {
    if (found.state !== "open") onChange();
  }, [found.state]);
  const revoke = async () => {
    try {
      await api.cancelPairing(pairing.id);
      setRevoked(true);
      onChange();
    } finally {
      // An agent may have been faster.
      await lookUp();
    }
  };
  const ending = isRevoked ? "The code was revoked." : "The code has expired, or was revoked.";
  return (
    <div class="pairing">
      {isOpen ? <OpenCode made={made} /> : null}
      <div class={`pairing-state ${isPaired ? "paired" : ""}`}>
        <p role="status" class="join-title">
          {found.state === "paired"
            ? `✓ Paired: ${found.keyName}`
            : isOpen
              ? "Waiting for the agent …"
              : ending}
        </p>
        {isOpen ? (
          <p role="timer" class="muted">
            The code expires in <span class="mono">{countdownText(left)}</span>.
          </p>
        ) : null}
        {isPaired ? (
          <p>The agent has a key of its own. You can change or revoke it in the list of keys.</p>
        ) : null}
      </div>
      {error && isOpen ? <Notice tone="bad">{error}</Notice> : null}
      <div class="form-actions">
        <Button kind={isOpen ? "plain" : "primary"} onClick={onClose}>
          {isOpen ? "Close" : "Done"}
        </Button>
        {isOpen ? (
          <Button kind="danger" onClick={revoke}>
            Revoke the code
          </Button>
        ) : (
          <Button onClick={onAgain}>Make another code</Button>
        )}
      </div>
    </div>
  );
}

function OpenCode({ made: { pairing, server } }: { made: MadePairing }) {
  const { code } = pairing;
  const link = pairingLink(server, code);
  const top = useRef<HTMLElement | null>(null);
  // The form was longer, and its button had the focus.
  useEffect(() => top.current?.focus(), []);
  return (
    <>
      <p class="pairing-code" ref={top} tabindex={-1}>
        <code>{code}</code>
        <CopyButton text={code} what="the code" isSmall />
      </p>
      <div class="stack">
        <p class="label">Run this on the machine with the models</p>
        <CopyField text={pairingCommand(server, code)} what="the command" />
        <p class="hint">
          The agent offers the models that it finds there. <code>--upstream</code> names another model server.
        </p>
      </div>
      <div class="pairing-link">
        <QrCode text={link} label="QR code of the link" />
        <div class="stack">
          <p class="label">The same as a link</p>
          <CopyField text={link} what="the link" />
          <p class="hint">
            The agent takes the link in place of the address and the code. You may close this: the code stays
            valid, and is listed above the keys.
          </p>
        </div>
      </div>
    </>
  );
}
