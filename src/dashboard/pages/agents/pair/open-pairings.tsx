import { useRef } from "hono/jsx/dom";
import { api } from "../../../api/api.ts";
import type { Pairing } from "../../../api/types.ts";
import { Button } from "../../../components/button.tsx";
import { Card, Notice } from "../../../components/card.tsx";
import { type Column, Table } from "../../../components/table.tsx";
import { showToast } from "../../../components/toast.tsx";
import { useEffect } from "../../../state/hooks.ts";
import { useFetch } from "../../../state/use-fetch.ts";
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
    <Card title="Open pairing codes" isFlush>
      <Table
        caption="Open pairing codes"
        columns={columnsOf(now, async ({ id }) => {
          await api.cancelPairing(id).finally(reload);
          showToast("Revoked the code.");
        })}
        rows={open}
        keyOf={({ id }) => id}
      />
    </Card>
  );
}

function columnsOf(now: number, revoke: (pairing: Pairing) => Promise<void>): Column<Pairing>[] {
  return [
    { title: "Key", cell: nameOf, isHeader: true },
    { title: "Models", cell: ({ models }) => models?.join(", ") ?? <span class="muted">all models</span> },
    { title: "Preference", cell: (pairing) => preferenceText(pairing) || <span class="muted">–</span> },
    {
      title: "Expires in",
      cell: ({ expires_at }) => countdownText(secondsUntil(Date.parse(expires_at), now)),
      isNumber: true,
    },
    {
      title: "Actions",
      cell: (pairing) => (
        <Button isSmall label={`Revoke code for ${nameOf(pairing)}`} onClick={() => revoke(pairing)}>
          Revoke
        </Button>
      ),
    },
  ];
}

function nameOf({ name }: Pairing): string {
  return name ?? "any name";
}
