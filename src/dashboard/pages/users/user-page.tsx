import { AMOUNT_FIELDS, LIMIT_FIELDS, USER_ATTRIBUTES } from "../../../user-attributes.ts";
import { api } from "../../api/api.ts";
import { pathOf } from "../../api/request.ts";
import type { User } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, Notice } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { showToast } from "../../components/toast.tsx";
import { RotateDialog } from "../../components/tokens/rotate-dialog.tsx";
import { TokenDialog } from "../../components/tokens/token-dialog.tsx";
import { formatAmount, formatTime, formatWhole } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { hrefOf } from "../../state/route.ts";
import { session } from "../../state/session.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { useStore } from "../../state/use-store.ts";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { trafficHref } from "../traffic/traffic-view.ts";
import { type UsageSource, UsageView } from "../usage/usage-view.tsx";
import { ChangeUserDialog, DeleteDialog, DisableDialog } from "./user-dialogs.tsx";
import { StateBadge } from "./user-table.tsx";
import { labelOf } from "./user-text.ts";

/** One user. The usage of a deleted user can still be seen. */
export function UserPage({ id }: { id: string }) {
  const { value: user, error, replace } = useFetch((signal) => api.user(id, signal), [id]);
  return (
    <>
      <PageHeader title={user ? labelOf(user) : text("user.title")} lead={<UserLinks id={id} />}>
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
      <a href={hrefOf("users")}>{text("user.all")}</a> ·{" "}
      <a href={requestsHref({ user: id })}>{text("user.requests")}</a> ·{" "}
      <a href={trafficHref({ period: "24h", by: "model", only: { user: id } })}>{text("user.traffic")}</a>
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
    showToast(text("user.enabled", { user: labelOf(user) }));
  };
  return (
    <>
      <Button onClick={() => setOpen({ what: "change" })}>{text("user.edit")}</Button>
      <Button onClick={() => setOpen({ what: "rotate" })}>{text("user.rotate")}</Button>
      {user.disabled_at === null ? (
        <Button onClick={() => setOpen({ what: "disable" })}>{text("user.disable")}</Button>
      ) : (
        <Button onClick={enable}>{text("user.enable")}</Button>
      )}
      <Button kind="danger" onClick={() => setOpen({ what: "delete" })}>
        {text("user.delete")}
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
            showToast(text("user.saved", { user: labelOf(changed) }));
          }}
          onClose={close}
        />
      ) : null}
      {open?.what === "rotate" ? (
        <RotateDialog
          title={text("userDialog.rotateTitle", { user: labelOf(user) })}
          onRotate={async (graceS, note) => {
            const { token } = await api.rotateUser(user.user_id, graceS);
            setOpen({ what: "token", token, note });
          }}
          onClose={close}
        />
      ) : null}
      {open?.what === "token" ? (
        <TokenDialog
          title={text("user.newToken", { user: labelOf(user) })}
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
            showToast(text("user.disabled", { user: labelOf(user) }));
          }}
          onClose={close}
        />
      ) : null}
      {open?.what === "delete" ? (
        <DeleteDialog
          user={user}
          onDeleted={() => {
            showToast(text("user.deleted", { user: labelOf(user) }));
            location.hash = hrefOf("users");
          }}
          onClose={close}
        />
      ) : null}
    </>
  );
}

function Facts({ user }: { user: User }) {
  const current = useStore(session);
  const currency = current.state === "in" ? current.who.currency : null;
  const limit = (value: number | null) => (value === null ? text("user.noLimit") : formatWhole(value));
  const budget = (value: number | null) =>
    value === null ? text("user.noLimit") : formatAmount(value, currency);
  const rows: [string, string][] = [
    ...LIMIT_FIELDS.map((field): [string, string] => [USER_ATTRIBUTES[field].label, limit(user[field])]),
    ...AMOUNT_FIELDS.map((field): [string, string] => [USER_ATTRIBUTES[field].label, budget(user[field])]),
    [USER_ATTRIBUTES.priority.label, user.priority ?? text("user.normalPriority")],
    [USER_ATTRIBUTES.agent_tags.label, user.agent_tags?.join(", ") ?? text("user.allAgents")],
    [text("user.validUntil"), user.expires_at ? formatTime(user.expires_at) : text("user.noExpiry")],
    [text("user.added"), formatTime(user.created_at)],
  ];
  return (
    <Card>
      <dl class="user-facts">
        <div>
          <dt>{text("user.state")}</dt>
          <dd>
            <StateBadge user={user} />{" "}
            {user.disabled_at ? (
              <span class="muted">{text("user.since", { time: formatTime(user.disabled_at) })}</span>
            ) : null}
          </dd>
        </div>
        <div class="user-fact-id">
          <dt>{text("user.id")}</dt>
          <dd class="row">
            <span class="mono">{user.user_id}</span>
            <CopyButton text={user.user_id} what={text("user.copyId")} isSmall />
          </dd>
        </div>
        <div class="user-fact-wide">
          <dt>{text("user.models")}</dt>
          <dd class="user-fact-text" dir="auto">
            {user.models?.join(", ") ?? text("user.allModels")}
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
