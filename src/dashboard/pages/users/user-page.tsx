import { LIMIT_FIELDS, USER_ATTRIBUTES } from "../../../user-attributes.ts";
import { api } from "../../api/api.ts";
import { pathOf } from "../../api/request.ts";
import type { User } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, Notice } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { showToast } from "../../components/toast.tsx";
import { formatTime, formatWhole } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { hrefOf } from "../../state/route.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { trafficHref } from "../traffic/traffic-view.ts";
import { type UsageSource, UsageView } from "../usage/usage-view.tsx";
import { TokenDialog } from "./token-dialog.tsx";
import { ChangeUserDialog, DeleteDialog, DisableDialog, RotateDialog } from "./user-dialogs.tsx";
import { StateBadge } from "./user-table.tsx";
import { labelOf } from "./user-text.ts";

/** One user. The usage of a deleted user can still be seen. */
export function UserPage({ id }: { id: string }) {
  const { value: user, error, replace } = useFetch((signal) => api.user(id, signal), [id]);
  return (
    <>
      <PageHeader title={user ? labelOf(user) : "User"} lead={<UserLinks id={id} />}>
        {user ? <Actions user={user} onChange={replace} /> : null}
      </PageHeader>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {user ? <Facts user={user} /> : null}
      <UsageView source={sourceOf(id)} />
    </>
  );
}

function UserLinks({ id }: { id: string }) {
  return (
    <>
      <a href={hrefOf("users")}>All users</a> · <a href={requestsHref({ user: id })}>Requests</a> ·{" "}
      <a href={trafficHref({ period: "24h", by: "model", only: { group: "user", name: id } })}>Traffic</a>
    </>
  );
}

function sourceOf(id: string): UsageSource {
  return {
    key: id,
    user: id,
    load: (query, signal) => api.usage({ ...query, user: id }, signal),
    csvPath: ({ by, user: _, ...query }) =>
      pathOf(["admin", "users", id, "usage"], { ...query, by: by.join(","), format: "csv" }),
    groups: ["day", "model", "agent"],
  };
}

type Open =
  | { what: "change" | "rotate" | "disable" | "delete" }
  | { what: "token"; token: string; note: string };

function Actions({ user, onChange }: { user: User; onChange: (user: User) => void }) {
  const [open, setOpen] = useState<Open | undefined>(undefined);
  const enable = async () => {
    onChange(await api.enableUser(user.user_id));
    showToast(`Enabled ${labelOf(user)}.`);
  };
  return (
    <>
      <Button onClick={() => setOpen({ what: "change" })}>Edit</Button>
      <Button onClick={() => setOpen({ what: "rotate" })}>Rotate token</Button>
      {user.disabled_at === null ? (
        <Button onClick={() => setOpen({ what: "disable" })}>Disable</Button>
      ) : (
        <Button onClick={enable}>Enable</Button>
      )}
      <Button kind="danger" onClick={() => setOpen({ what: "delete" })}>
        Delete
      </Button>
      <Dialogs user={user} onChange={onChange} open={open} setOpen={setOpen} />
    </>
  );
}

interface DialogsProps {
  user: User;
  onChange: (user: User) => void;
  open: Open | undefined;
  setOpen: (next: Open | undefined) => void;
}

function Dialogs({ user, onChange, open, setOpen }: DialogsProps) {
  const close = () => setOpen(undefined);
  return (
    <>
      {open?.what === "change" ? (
        <ChangeUserDialog
          user={user}
          onChanged={(changed) => {
            onChange(changed);
            close();
            showToast(`Saved the changes to ${labelOf(changed)}.`);
          }}
          onClose={close}
        />
      ) : null}
      {open?.what === "rotate" ? (
        <RotateDialog
          user={user}
          onRotated={({ token }, note) => setOpen({ what: "token", token, note })}
          onClose={close}
        />
      ) : null}
      {open?.what === "token" ? (
        <TokenDialog
          title={`New token for ${labelOf(user)}`}
          token={open.token}
          note={open.note}
          onClose={close}
        />
      ) : null}
      {open?.what === "disable" ? (
        <DisableDialog
          user={user}
          onDisabled={(changed) => {
            onChange(changed);
            showToast(`Disabled ${labelOf(user)}.`);
          }}
          onClose={close}
        />
      ) : null}
      {open?.what === "delete" ? (
        <DeleteDialog
          user={user}
          onDeleted={() => {
            showToast(`Deleted ${labelOf(user)}.`);
            location.hash = hrefOf("users");
          }}
          onClose={close}
        />
      ) : null}
    </>
  );
}

function Facts({ user }: { user: User }) {
  const limit = (value: number | null) => (value === null ? "no limit" : formatWhole(value));
  const rows: [string, string][] = [
    ...LIMIT_FIELDS.map((field): [string, string] => [USER_ATTRIBUTES[field].label, limit(user[field])]),
    ["Models", user.models?.join(", ") ?? "all"],
    [USER_ATTRIBUTES.priority.label, user.priority ?? "normal"],
    [USER_ATTRIBUTES.agent_tags.label, user.agent_tags?.join(", ") ?? "all agents"],
    ["Valid until", user.expires_at ? formatTime(user.expires_at) : "no expiry date"],
    ["Added", formatTime(user.created_at)],
  ];
  return (
    <Card>
      <dl class="user-facts">
        <div>
          <dt>State</dt>
          <dd>
            <StateBadge user={user} />{" "}
            {user.disabled_at ? <span class="muted">since {formatTime(user.disabled_at)}</span> : null}
          </dd>
        </div>
        <div class="user-fact-id">
          <dt>ID</dt>
          <dd class="row">
            <span class="mono">{user.user_id}</span>
            <CopyButton text={user.user_id} what="the ID" isSmall />
          </dd>
        </div>
        {rows.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd class="user-fact-text">{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
