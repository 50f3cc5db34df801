import { useRef } from "hono/jsx/dom";
import { api } from "../../../api/api.ts";
import type { Pairing } from "../../../api/types.ts";
import { Button } from "../../../components/button.tsx";
import { Card, Notice } from "../../../components/card.tsx";
import { Name } from "../../../components/name.tsx";
import { type Column, Table } from "../../../components/table.tsx";
import { showToast } from "../../../components/toast.tsx";
import { useEffect } from "../../../state/hooks.ts";
import { useFetch } from "../../../state/use-fetch.ts";
import { text } from "../../../texts/texts.ts";
import { preferenceText } from "../key-form.ts";
import { countdownText, secondsUntil } from "./pairing-text.ts";

interface OpenPairingsProps {
  /** Changes when a code was made, used or revoked elsewhere on the page. */
  changes: number;
  /** The server's time, in milliseconds since 1970. */
  now: number;
  /** Called when a code was used or has expired. */
  onGone: () => void;
}

const POLL_MS = 5_000;

/** The pairing codes that may still be used, if there are any. */
export function OpenPairings({ changes, now, onGone }: OpenPairingsProps) {
  const { value, error, reload } = useFetch((signal) => api.pairings(signal), [changes]);
  const count = value?.length ?? 0;
  useEffect(() => {
    if (count === 0) return undefined;
    const timer = setInterval(() => document.hidden || reload(), POLL_MS);
    return () => clearInterval(timer);
  }, [count === 0]);
  const lastCount = useRef(0);
  useEffect(() => {
    if (count < (lastCount.current ?? 0)) onGone();
    lastCount.current = count;
  }, [count]);
  const open = (value ?? []).filter(({ expires_at }) => Date.parse(expires_at) > now);
  if (error) return <Notice tone="bad">{error}</Notice>;
  if (open.length === 0) return null;
  return (
    <Card title={text("pairing.open")} isFlush>
      <Table
        caption={text("pairing.open")}
        columns={columnsOf(now, async ({ id }) => {
          await api.cancelPairing(id).finally(reload);
          showToast(text("pairing.revoked"));
        })}
        rows={open}
        keyOf={({ id }) => id}
      />
    </Card>
  );
}

function columnsOf(now: number, revoke: (pairing: Pairing) => Promise<void>): Column<Pairing>[] {
  return [
    {
      title: text("pairing.key"),
      cell: (pairing) => <Name text={nameOf(pairing)} />,
      isHeader: true,
    },
    {
      title: text("pairing.models"),
      cell: ({ models }) => models?.join(", ") ?? <span class="muted">{text("pairing.allModels")}</span>,
    },
    {
      title: text("pairing.preference"),
      cell: (pairing) => preferenceText(pairing) || <span class="muted">–</span>,
    },
    {
      title: text("pairing.expiresIn"),
      cell: ({ expires_at }) => countdownText(secondsUntil(Date.parse(expires_at), now)),
      isNumber: true,
    },
    {
      title: text("pairing.actions"),
      cell: (pairing) => (
        <Button
          isSmall
          label={text("pairing.revokeOf", { name: nameOf(pairing) })}
          onClick={() => revoke(pairing)}
        >
          {text("pairing.revoke")}
        </Button>
      ),
    },
  ];
}

function nameOf({ name }: Pairing): string {
  return name ?? text("pairing.anyName");
}
