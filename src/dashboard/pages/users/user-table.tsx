import type { UsageEntry, User } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { EmptyState } from "../../components/card.tsx";
import { Name } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatShort, formatTime } from "../../format.ts";
import { hrefOf } from "../../state/route.ts";
import { stateOf } from "./user-filter.ts";
import { labelOf, limitsText } from "./user-text.ts";

export type UserUsage = Pick<UsageEntry, "asks" | "prompt_tokens" | "completion_tokens">;

export function UserTable({
  users,
  usage,
}: {
  users: readonly User[];
  usage: ReadonlyMap<string, UserUsage>;
}) {
  const columns: Column<User>[] = [
    {
      title: "User",
      cell: (user) => (
        <>
          <Name text={labelOf(user)}>
            <a href={hrefOf("users", user.user_id)}>{labelOf(user)}</a>
          </Name>
          {user.name === null ? null : <span class="user-id mono">{user.user_id}</span>}
        </>
      ),
      isHeader: true,
    },
    { title: "State", cell: (user) => <StateBadge user={user} /> },
    {
      title: "Models",
      cell: ({ models }) => <Name text={models?.join(", ") ?? "all"} class="user-models" />,
    },
    { title: "Limits", cell: (user) => <span class="user-limits">{limitsText(user)}</span> },
    {
      title: "Requests (30 days)",
      cell: ({ user_id }) => formatShort(usage.get(user_id)?.asks ?? 0),
      isNumber: true,
    },
    {
      title: "Tokens (30 days)",
      cell: ({ user_id }) => formatShort(tokensOf(usage.get(user_id))),
      isNumber: true,
    },
    {
      title: "Added",
      cell: ({ created_at }) => <time datetime={created_at}>{formatTime(created_at).slice(0, 10)}</time>,
    },
  ];
  return (
    <Table
      caption="Users"
      columns={columns}
      rows={users}
      keyOf={({ user_id }) => user_id}
      empty={
        <EmptyState title="No user matches.">
          Search for another name, ID or model, or choose another state.
        </EmptyState>
      }
    />
  );
}

export function StateBadge({ user }: { user: User }) {
  const state = stateOf(user, Date.now());
  return <Badge tone={state === "active" ? "ok" : state === "disabled" ? "bad" : "warn"}>{state}</Badge>;
}

function tokensOf(usage: UserUsage | undefined): number {
  return (usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0);
}
