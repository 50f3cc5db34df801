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
import { useState } from "../../state/hooks.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { PrincipalLink } from "../users/principal-link.tsx";
import { AddKeyDialog } from "./add-key-dialog.tsx";
import { ChangeKeyDialog } from "./change-key-dialog.tsx";
import { preferenceText } from "./key-form.ts";
import { useShowMore } from "./use-show-more.tsx";

interface AgentKeysProps {
  /** The number of connected agents per key, by the keys' names. */
  connected: ReadonlyMap<string, number>;
  /** Changes when a key was made elsewhere on the page. */
  changes: number;
  /** Called after a key was revoked, which disconnects its agents. */
  onRevoked: () => void;
}

export function AgentKeys({ connected, changes, onRevoked }: AgentKeysProps) {
  const keys = useFetch((signal) => api.agentKeys(signal), [changes]);
  const [isAdding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<AgentKey | undefined>(undefined);
  const [changing, setChanging] = useState<AgentKey | undefined>(undefined);
  const [showsRevoked, setShowsRevoked] = useState(false);
  const all = (keys.value ?? []).toReversed();
  const active = all.filter(({ revoked_at }) => revoked_at === null);
  const { shown, more } = useShowMore(showsRevoked ? all : active);
  return (
    <Card
      title="Agent keys"
      isFlush
      actions={
        <Button isSmall onClick={() => setAdding(true)}>
          Create a key
        </Button>
      }
    >
      <p class="card-lead muted">
        You can give each agent, or each group of agents, a key of its own, and revoke it later. The main key
        is not shown here: <code>chatgpt-api-server agents address</code> prints it.
      </p>
      {keys.error ? <Notice tone="bad">{keys.error}</Notice> : null}
      {all.length > active.length ? (
        <div class="card-lead">
          <Checkbox
            label={`Show ${formatCount(all.length - active.length, "revoked key")}`}
            name="revoked"
            isChecked={showsRevoked}
            onInput={setShowsRevoked}
          />
        </div>
      ) : null}
      {keys.value ? (
        <Table
          caption="Agent keys"
          columns={columnsOf(connected, { onChange: setChanging, onRevoke: setRevoking })}
          rows={shown}
          keyOf={({ id }) => id}
          empty={<EmptyState title="There are no agent keys besides the main key." />}
        />
      ) : null}
      {more}
      {isAdding ? <AddKeyDialog onAdded={keys.reload} onClose={() => setAdding(false)} /> : null}
      {changing ? (
        <ChangeKeyDialog
          agentKey={changing}
          onChanged={({ name }) => {
            setChanging(undefined);
            keys.reload();
            showToast(`Saved the changes to the key ${name}.`);
          }}
          onClose={() => setChanging(undefined)}
        />
      ) : null}
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
  { onChange, onRevoke }: { onChange: (key: AgentKey) => void; onRevoke: (key: AgentKey) => void },
): Column<AgentKey>[] {
  return [
    { title: "Name", cell: ({ name }) => name, isHeader: true },
    { title: "Models", cell: ({ models }) => <KeyModels models={models} /> },
    { title: "Preference", cell: (key) => <KeyPreference agentKey={key} /> },
    {
      title: "Agents connected",
      cell: ({ name, revoked_at }) => (revoked_at === null ? (connected.get(name) ?? 0) : "–"),
      isNumber: true,
    },
    { title: "Created", cell: ({ created_at }) => formatTime(created_at) },
    {
      title: "Actions",
      cell: (key) =>
        key.revoked_at === null ? (
          <span class="row">
            <Button isSmall label={`Edit key ${key.name}`} onClick={() => onChange(key)}>
              Edit
            </Button>
            <Button isSmall label={`Revoke key ${key.name}`} onClick={() => onRevoke(key)}>
              Revoke
            </Button>
          </span>
        ) : (
          <Badge tone="bad">Revoked {formatTime(key.revoked_at)}</Badge>
        ),
    },
  ];
}

function KeyModels({ models }: Pick<AgentKey, "models">) {
  if (models === null) return <span class="muted">all models</span>;
  return <span class="key-models mono">{models.join(", ")}</span>;
}

function KeyPreference({ agentKey }: { agentKey: AgentKey }) {
  const text = preferenceText(agentKey);
  const { owner_id: owner } = agentKey;
  if (text === "" && owner === null) return <span class="muted">–</span>;
  return (
    <span class="key-models">
      {text}
      {owner === null ? null : <Owner id={owner} isAlone={text === ""} />}
    </span>
  );
}

/** Links the owner of a key. Shows the beginning of the id until the name has arrived. */
function Owner({ id, isAlone }: { id: string; isAlone: boolean }) {
  const { value } = useFetch((signal) => api.user(id, signal), [id]);
  return (
    <>
      {isAlone ? "owner " : ", owner "}
      <PrincipalLink user={value ?? { user_id: id, name: null }} />
    </>
  );
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
    showToast(`Revoked the key ${name}.`);
    onDone();
  };
  const consequence =
    agents === 0
      ? "No agent is connected with this key."
      : `${formatCount(agents, "agent")} connected with this key will be disconnected at once. Running requests move to other agents, or fail if their response has started.`;
  return (
    <ConfirmDialog title={`Revoke the key “${name}”?`} action="Revoke" onConfirm={revoke} onClose={onClose}>
      <p>{consequence}</p>
      <p>
        After that, agents can no longer connect with this key. You cannot undo this, but you can create a new
        key.
      </p>
    </ConfirmDialog>
  );
}
