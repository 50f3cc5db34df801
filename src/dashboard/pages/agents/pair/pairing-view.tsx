import { useRef } from "hono/jsx/dom";
import { api } from "../../../api/api.ts";
import { Button } from "../../../components/button.tsx";
import { Notice } from "../../../components/card.tsx";
import { CopyButton, CopyField } from "../../../components/copy-button.tsx";
import { useEffect, useState } from "../../../state/hooks.ts";
import { code } from "../../../texts/code.tsx";
import { richText, text } from "../../../texts/texts.ts";
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
  const ending = text(isRevoked ? "pairing.state.revoked" : "pairing.state.gone");
  return (
    <div class="pairing">
      {isOpen ? <OpenCode made={made} /> : null}
      <div class={`pairing-state ${isPaired ? "paired" : ""}`}>
        <p role="status" class="join-title">
          {found.state === "paired"
            ? text("pairing.state.paired", { name: found.keyName })
            : isOpen
              ? text("pairing.state.waiting")
              : ending}
        </p>
        {isOpen ? (
          <p role="timer" class="muted">
            {richText("pairing.expires", { time: <span class="mono">{countdownText(left)}</span> })}
          </p>
        ) : null}
        {isPaired ? <p>{text("pairing.paired.about")}</p> : null}
      </div>
      {error && isOpen ? <Notice tone="bad">{error}</Notice> : null}
      <div class="form-actions">
        <Button kind={isOpen ? "plain" : "primary"} onClick={onClose}>
          {text(isOpen ? "dialog.close" : "dialog.done")}
        </Button>
        {isOpen ? (
          <Button kind="danger" onClick={revoke}>
            {text("pairing.revokeCode")}
          </Button>
        ) : (
          <Button onClick={onAgain}>{text("pairing.again")}</Button>
        )}
      </div>
    </div>
  );
}

function OpenCode({ made: { pairing, server } }: { made: MadePairing }) {
  const { code: pairingCode } = pairing;
  const link = pairingLink(server, pairingCode);
  const top = useRef<HTMLElement | null>(null);
  // The form was longer, and its button had the focus.
  useEffect(() => top.current?.focus(), []);
  return (
    <>
      <p class="pairing-code" ref={top} tabindex={-1}>
        <code>{pairingCode}</code>
        <CopyButton text={pairingCode} what={text("pairing.what.code")} isSmall />
      </p>
      <div class="stack">
        <p class="label">{text("pairing.run")}</p>
        <CopyField text={pairingCommand(server, pairingCode)} what={text("pairing.what.command")} />
        <p class="hint">{richText("pairing.run.about", { flag: code("--upstream") })}</p>
      </div>
      <div class="pairing-link">
        <QrCode text={link} label={text("pairing.qr")} />
        <div class="stack">
          <p class="label">{text("pairing.link")}</p>
          <CopyField text={link} what={text("pairing.what.link")} />
          <p class="hint">{text("pairing.link.about")}</p>
        </div>
      </div>
    </>
  );
}
