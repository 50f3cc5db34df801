import { useState } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { AgentKey } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Checkbox } from "../../components/field.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { showToast } from "../../components/toast.tsx";
import { formatCount, formatTime } from "../../format.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { AddKeyDialog } from "./add-key-dialog.tsx";
import { useShowMore } from "./use-show-more.tsx";

interface AgentKeysProps {
  /** How many agents have come by each key, by the keys' names. */
  connected: ReadonlyMap<string, number>;
  /** Its agents are gone. */
  onRevoked: () => void;
}

export function AgentKeys({ connected, onRevoked }: AgentKeysProps) {
  const keys = useFetch((signal) => api.agentKeys(signal), []);
  const [isAdding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<AgentKey | undefined>(undefined);
  const [showsRevoked, setShowsRevoked] = useState(false);
  const all = (keys.value ?? []).toReversed();
  const active = all.filter(({ revoked_at }) => revoked_at === null);
  const { shown, more } = useShowMore(showsRevoked ? all : active);
  return (
    <Card
      title="Keys for agents"
      isFlush
      actions={
        <Button isSmall onClick={() => setAdding(true)}>
          Make a key
        </Button>
      }
    >
      <p class="card-lead muted">
        Each agent, or each group of them, can have a key that you can take back. The main key is in the
        banner that the server prints when it starts; nothing here shows it.
      </p>
      {keys.error ? <Notice tone="bad">{keys.error}</Notice> : null}
      {all.length > active.length ? (
        <div class="card-lead">
          <Checkbox
            label={`Show the ${formatCount(all.length - active.length, "revoked one")} too`}
            name="revoked"
            isChecked={showsRevoked}
            onInput={setShowsRevoked}
          />
        </div>
      ) : null}
      {keys.value ? (
        <Table
          caption="Keys for agents"
          columns={columnsOf(connected, setRevoking)}
          rows={shown}
          keyOf={({ id }) => id}
          empty={<EmptyState title="There are no keys but the main one." />}
        />
      ) : null}
      {more}
      {isAdding ? <AddKeyDialog onAdded={keys.reload} onClose={() => setAdding(false)} /> : null}
      {revoking ? (
        <RevokeDialog
          agentKey={revoking}
          agents={connected.get(revoking.name) ?? 0}
          onDone={() => {
            keys.reload();
            onRevoked();
          }}
          onClose={() => setRevoking(undefined)}
        />
      ) : null}
    </Card>
  );
}

function columnsOf(
  connected: AgentKeysProps["connected"],
  onRevoke: (key: AgentKey) => void,
): Column<AgentKey>[] {
  return [
    { title: "Name", cell: ({ name }) => name, isHeader: true },
    { title: "Models", cell: ({ models }) => <KeyModels models={models} /> },
    {
      title: "Agents connected",
      cell: ({ name, revoked_at }) => (revoked_at === null ? (connected.get(name) ?? 0) : "–"),
      isNumber: true,
    },
    { title: "Made", cell: ({ created_at }) => formatTime(created_at) },
    {
      title: "Actions",
      cell: (key) =>
        key.revoked_at === null ? (
          <Button isSmall label={`Revoke the key ${key.name}`} onClick={() => onRevoke(key)}>
            Revoke
          </Button>
        ) : (
          <Badge tone="bad">Revoked {formatTime(key.revoked_at)}</Badge>
        ),
    },
  ];
}

function KeyModels({ models }: Pick<AgentKey, "models">) {
  if (models === null) return <span class="muted">all that its agents have</span>;
  return <span class="key-models mono">{models.join(", ")}</span>;
}

interface RevokeDialogProps {
  agentKey: AgentKey;
  agents: number;
  onDone: () => void;
  onClose: () => void;
}

function RevokeDialog({ agentKey: { id, name }, agents, onDone, onClose }: RevokeDialogProps) {
  const revoke = async () => {
    await api.revokeAgentKey(id);
    showToast(`The key ${name} is revoked.`);
    onDone();
  };
  const now =
    agents === 0
      ? "No agent is connected by it now."
      : `${formatCount(agents, "agent")} connected by it ${agents === 1 ? "is" : "are"} disconnected at once: what runs there moves to other agents, or fails where its answer has begun.`;
  return (
    <ConfirmDialog title={`Revoke the key “${name}”?`} action="Revoke" onConfirm={revoke} onClose={onClose}>
      <p>{now}</p>
      <p>Nobody gets in with it any more. This cannot be undone, but you can make another key.</p>
    </ConfirmDialog>
  );
}
