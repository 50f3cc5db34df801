import { useMemo, useState } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { AddedUser, User } from "../../api/shapes.ts";
import { formatCount } from "../../format.ts";
import { Button } from "../../kit/button.tsx";
import { Card, Empty, Notice } from "../../kit/card.tsx";
import { Field, Select } from "../../kit/field.tsx";
import { PageHead } from "../../kit/page-head.tsx";
import { Pages, usePages } from "../../kit/pages.tsx";
import { useAnswer } from "../../state/use-answer.ts";
import { TokenDialog } from "./token-dialog.tsx";
import { AddUserDialog } from "./user-dialogs.tsx";
import { selectUsers, type UserFilter } from "./user-list.ts";
import { type Asked, UserTable } from "./user-table.tsx";

const PAGE_ROWS = 50;
const USERS_MAX = 10_000;
const ALL: UserFilter = { search: "", state: "all", order: "newest" };

export function UserListPage() {
  const users = useAnswer((signal) => api.users(signal), []);
  const asked = useAsked();
  const [isAdding, setAdding] = useState(false);
  const [added, setAdded] = useState<AddedUser | undefined>(undefined);
  const count = users.value?.length ?? 0;
  return (
    <>
      <PageHead
        title="Users"
        lead={
          count > 0
            ? `${formatCount(count, "user")}, each with a token.`
            : "Each has a token, and limits of their own."
        }
      >
        <Button kind="primary" onClick={() => setAdding(true)}>
          Add a user
        </Button>
      </PageHead>
      {users.error ? <Notice tone="bad">{users.error}</Notice> : null}
      {users.value ? <UserList users={users.value} asked={asked} /> : null}
      {isAdding ? (
        <AddUserDialog
          onAdded={(user) => {
            setAdding(false);
            setAdded(user);
            users.reload();
          }}
          onClose={() => setAdding(false)}
        />
      ) : null}
      {added ? (
        <TokenDialog
          title={`The token of ${added.name ?? "the new user"}`}
          token={added.token}
          onClose={() => setAdded(undefined)}
        />
      ) : null}
    </>
  );
}

/** What each asked in the last 30 days; nothing while it is not known. */
function useAsked(): ReadonlyMap<string, Asked> {
  const { value } = useAnswer((signal) => api.usage({ by: ["user"], limit: USERS_MAX }, signal), []);
  return useMemo(() => new Map((value?.usage ?? []).map((entry) => [entry.user ?? "", entry])), [value]);
}

const STATES = [
  { value: "all", label: "All" },
  { value: "active", label: "Active" },
  { value: "disabled", label: "Disabled" },
  { value: "expired", label: "Expired" },
] as const;

const ORDERS = [
  { value: "newest", label: "Newest first" },
  { value: "oldest", label: "Oldest first" },
  { value: "name", label: "Name" },
  { value: "asks", label: "Most asks" },
  { value: "expiry", label: "Next to expire" },
] as const;

function UserList({ users, asked }: { users: readonly User[]; asked: ReadonlyMap<string, Asked> }) {
  const [filter, setFilter] = useState(ALL);
  const found = useMemo(
    () => selectUsers(users, filter, { asksOf: (id) => asked.get(id)?.asks ?? 0, now: Date.now() }),
    [users, filter, asked],
  );
  const { shown, ...pages } = usePages(found, PAGE_ROWS, JSON.stringify(filter));
  if (users.length === 0)
    return (
      <Card>
        <Empty title="There is no user yet.">
          <p>Add one, and give the token to whoever is to ask. The admin key is better not shared.</p>
        </Empty>
      </Card>
    );
  return (
    <>
      <search class="users-filter">
        <Field
          label="Search"
          name="search"
          type="search"
          placeholder="Name, id or model"
          onInput={(search) => setFilter((before) => ({ ...before, search }))}
        />
        <Select
          label="State"
          name="state"
          value={filter.state}
          options={STATES}
          onInput={(state) => setFilter((before) => ({ ...before, state: state as UserFilter["state"] }))}
        />
        <Select
          label="Order"
          name="order"
          value={filter.order}
          options={ORDERS}
          onInput={(order) => setFilter((before) => ({ ...before, order: order as UserFilter["order"] }))}
        />
      </search>
      <p class="off-screen" role="status">
        {filter === ALL ? "" : `${formatCount(found.length, "user")} found`}
      </p>
      <Card isFlush>
        <UserTable users={shown} asked={asked} />
        <Pages {...pages} label="Pages of the users" />
      </Card>
    </>
  );
}
