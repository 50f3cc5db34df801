import type { UsageEntry, User } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { EmptyState } from "../../components/card.tsx";
import { Name } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatMoney, formatShort, formatTime } from "../../format.ts";
import { hrefOf } from "../../state/route.ts";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { limitsText } from "./limits-text.ts";
import { stateOf } from "./user-filter.ts";
import { labelOf, shortId } from "./user-text.ts";

export type UserUsage = Pick<UsageEntry, "asks" | "prompt_tokens" | "completion_tokens" | "cost">;

export function UserTable({
  users,
  usage,
  currency,
}: {
  users: readonly User[];
  usage: ReadonlyMap<string, UserUsage>;
  /** Null without prices. */
  currency: string | null;
}) {
  const columns: Column<User>[] = [
    {
      title: text("users.table.user"),
      cell: (user) => (
        <>
          <Name text={labelOf(user)} about={text("principal.id", { id: user.user_id })}>
            <a href={hrefOf("users", user.user_id)}>{labelOf(user)}</a>
          </Name>
          {user.name === null ? null : <code class="cell-note">{shortId(user)}</code>}
        </>
      ),
      isHeader: true,
    },
    { title: text("users.table.state"), cell: (user) => <StateBadge user={user} /> },
    {
      title: text("users.table.models"),
      cell: ({ models }) => <Name text={models?.join(", ") ?? text("users.table.allModels")} />,
    },
    {
      title: text("users.table.limits"),
      cell: (user) => <span class="user-limits">{limitsText(user, currency)}</span>,
    },
    {
      title: text("users.table.requests"),
      cell: ({ user_id }) => {
        const asks = usage.get(user_id)?.asks ?? 0;
        if (asks === 0) return formatShort(asks);
        return <a href={requestsHref({ user: user_id, period: "30d" })}>{formatShort(asks)}</a>;
      },
      isNumber: true,
    },
    {
      title: text("users.table.tokens"),
      cell: ({ user_id }) => formatShort(tokensOf(usage.get(user_id))),
      isNumber: true,
    },
    ...(currency === null
      ? []
      : [
          {
            title: text("users.table.cost"),
            cell: ({ user_id }: User) => formatMoney(usage.get(user_id)?.cost ?? 0, currency),
            isNumber: true,
          },
        ]),
    {
      title: text("users.table.added"),
      cell: ({ created_at }) => <time datetime={created_at}>{formatTime(created_at).slice(0, 10)}</time>,
    },
  ];
  return (
    <Table
      caption={text("users.table.caption")}
      columns={columns}
      rows={users}
      keyOf={({ user_id }) => user_id}
      empty={<EmptyState title={text("users.table.noMatch")}>{text("users.table.noMatch.hint")}</EmptyState>}
    />
  );
}

export function StateBadge({ user }: { user: User }) {
  const state = stateOf(user, Date.now());
  const tone = state === "active" ? "ok" : state === "disabled" ? "bad" : "warn";
  return <Badge tone={tone}>{text(STATES[state])}</Badge>;
}

const STATES = {
  active: "users.state.active",
  disabled: "users.state.disabled",
  expired: "users.state.expired",
} as const;

function tokensOf(usage: UserUsage | undefined): number {
  return (usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0);
}
