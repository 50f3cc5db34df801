import type { UsageEntry, User } from "../../api/shapes.ts";
import { formatShort, formatTime } from "../../format.ts";
import { Badge } from "../../kit/badge.tsx";
import { Empty } from "../../kit/card.tsx";
import { type Column, Table } from "../../kit/table.tsx";
import { hrefOf } from "../../state/route.ts";
import { labelOf, limitsText, stateOf } from "./user-list.ts";

export type Asked = Pick<UsageEntry, "asks" | "prompt_tokens" | "completion_tokens">;

export function UserTable({ users, asked }: { users: readonly User[]; asked: ReadonlyMap<string, Asked> }) {
  const columns: Column<User>[] = [
    {
      title: "User",
      cell: (user) => (
        <>
          <a href={hrefOf("users", user.user_id)}>{labelOf(user)}</a>
          {user.name === null ? null : <span class="user-id mono">{user.user_id}</span>}
        </>
      ),
      isHeader: true,
    },
    { title: "State", cell: (user) => <StateBadge user={user} /> },
    {
      title: "Models",
      cell: ({ models }) => <span class="user-models">{models?.join(", ") ?? "every one"}</span>,
    },
    { title: "Limits", cell: (user) => <span class="user-limits">{limitsText(user)}</span> },
    {
      title: "Asks, 30 d",
      cell: ({ user_id }) => formatShort(asked.get(user_id)?.asks ?? 0),
      isNumber: true,
    },
    {
      title: "Tokens, 30 d",
      cell: ({ user_id }) => formatShort(tokensOf(asked.get(user_id))),
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
      empty={<Empty title="Nobody is like that.">Search for another name, id or model.</Empty>}
    />
  );
}

export function StateBadge({ user }: { user: User }) {
  const state = stateOf(user, Date.now());
  return <Badge tone={state === "active" ? "ok" : state === "disabled" ? "bad" : "warn"}>{state}</Badge>;
}

function tokensOf(asked: Asked | undefined): number {
  return (asked?.prompt_tokens ?? 0) + (asked?.completion_tokens ?? 0);
}
