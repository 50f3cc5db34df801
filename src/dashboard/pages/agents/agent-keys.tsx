import { api } from "../../api/api.ts";
import type { AgentKey } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Checkbox } from "../../components/field.tsx";
import { useShowMore } from "../../components/list/use-show-more.tsx";
import { Name } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { showToast } from "../../components/toast.tsx";
import { formatTime } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { code } from "../../texts/code.tsx";
import { countedText, richText, text } from "../../texts/texts.ts";
import { PrincipalLink } from "../users/principal-link.tsx";
import { AddKeyDialog } from "./add-key-dialog.tsx";
import { ChangeKeyDialog } from "./change-key-dialog.tsx";
import { preferenceText } from "./key-form.ts";

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
      title={text("agentKeys.title")}
      isFlush
      actions={
        <Button isSmall onClick={() => setAdding(true)}>
          {text("agentKeys.create")}
        </Button>
      }
    >
      <p class="card-lead muted">
        {richText("agentKeys.lead", { command: code("chatgpt-api-server agents address") })}
      </p>
      {keys.error ? <Notice tone="bad">{keys.error}</Notice> : null}
      {all.length > active.length ? (
        <div class="card-lead">
          <Checkbox
            label={countedText("agentKeys.showRevoked", all.length - active.length)}
            name="revoked"
            isChecked={showsRevoked}
            onInput={setShowsRevoked}
          />
        </div>
      ) : null}
      {keys.value ? (
        <Table
          caption={text("agentKeys.title")}
          columns={columnsOf(connected, { onChange: setChanging, onRevoke: setRevoking })}
          rows={shown}
          keyOf={({ id }) => id}
          empty={<EmptyState title={text("agentKeys.empty")} />}
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
            showToast(text("agentKeys.saved", { name }));
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
    {
      title: text("agentKeys.name"),
      cell: ({ name }) => <Name text={name} />,
      isHeader: true,
    },
    { title: text("agentKeys.models"), cell: ({ models }) => <KeyModels models={models} /> },
    { title: text("agentKeys.preference"), cell: (key) => <KeyPreference agentKey={key} /> },
    {
      title: text("agentKeys.connected"),
      cell: ({ name, revoked_at }) => (revoked_at === null ? (connected.get(name) ?? 0) : "–"),
      isNumber: true,
    },
    { title: text("agentKeys.created"), cell: ({ created_at }) => formatTime(created_at) },
    {
      title: text("agentKeys.actions"),
      cell: (key) =>
        key.revoked_at === null ? (
          <span class="row">
            <Button
              isSmall
              label={text("agentKeys.editOf", { name: key.name })}
              onClick={() => onChange(key)}
            >
              {text("agentKeys.edit")}
            </Button>
            <Button
              isSmall
              label={text("agentKeys.revokeOf", { name: key.name })}
              onClick={() => onRevoke(key)}
            >
              {text("agentKeys.revoke")}
            </Button>
          </span>
        ) : (
          <Badge tone="bad">{text("agentKeys.revokedAt", { time: formatTime(key.revoked_at) })}</Badge>
        ),
    },
  ];
}

function KeyModels({ models }: Pick<AgentKey, "models">) {
  if (models === null) return <span class="muted">{text("agentKeys.allModels")}</span>;
  return <span class="key-models mono">{models.join(", ")}</span>;
}

function KeyPreference({ agentKey }: { agentKey: AgentKey }) {
  const preference = preferenceText(agentKey);
  const { owner_id: owner } = agentKey;
  if (preference === "" && owner === null) return <span class="muted">–</span>;
  return (
    <span class="key-models">
      {preference}
      {preference === "" || owner === null ? null : ", "}
      {owner === null ? null : <Owner id={owner} />}
    </span>
  );
}

/** Links the owner of a key. Shows the beginning of the id until the name has arrived. */
function Owner({ id }: { id: string }) {
  const { value } = useFetch((signal) => api.user(id, signal), [id]);
  const owner = <PrincipalLink user={value ?? { user_id: id, name: null }} />;
  return <>{richText("agentKeys.owner", { owner })}</>;
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
    showToast(text("agentKeys.revoked", { name }));
    onDone();
  };
  const consequence =
    agents === 0 ? text("agentKeys.revoke.unused") : countedText("agentKeys.revoke.used", agents);
  return (
    <ConfirmDialog
      title={text("agentKeys.revoke.title", { name })}
      action={text("agentKeys.revoke")}
      onConfirm={revoke}
      onClose={onClose}
    >
      <p>{consequence}</p>
      <p>{text("agentKeys.revoke.about")}</p>
    </ConfirmDialog>
  );
}
