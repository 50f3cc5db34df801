import { useMemo } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { AddedUser, User } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { Field, Select } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pagination, pagesOf } from "../../components/pagination.tsx";
import { formatCount } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { type AddressValues, useAddress } from "../../state/use-address.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { TokenDialog } from "./token-dialog.tsx";
import { AddUserDialog } from "./user-dialogs.tsx";
import { selectUsers, type UserFilter } from "./user-filter.ts";
import { UserTable, type UserUsage } from "./user-table.tsx";

const PAGE_ROWS = 50;
const USERS_MAX = 10_000;
const ALL: UserFilter = { search: "", state: "all", order: "newest" };

export function UserListPage() {
  const users = useFetch((signal) => api.users(signal), []);
  const usage = useUsageByUser();
  const [isAdding, setAdding] = useState(false);
  const [added, setAdded] = useState<AddedUser | undefined>(undefined);
  const count = users.value?.length ?? 0;
  return (
    <>
      <PageHeader
        title="Users"
        lead={
          count > 0
            ? `${formatCount(count, "user")}, each with their own token and limits.`
            : "Each user has their own token and limits."
        }
      >
        <Button kind="primary" onClick={() => setAdding(true)}>
          Add a user
        </Button>
      </PageHeader>
      {users.error ? <Notice tone="bad">{users.error}</Notice> : null}
      {users.value ? <UserList users={users.value} usage={usage} /> : null}
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
          title={`Token for ${added.name ?? "the new user"}`}
          token={added.token}
          onClose={() => setAdded(undefined)}
        />
      ) : null}
    </>
  );
}

/** Returns each user's usage in the last 30 days; empty until it is loaded. */
function useUsageByUser(): ReadonlyMap<string, UserUsage> {
  const { value } = useFetch((signal) => api.usage({ by: ["user"], limit: USERS_MAX }, signal), []);
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
  { value: "requests", label: "Most requests" },
  { value: "expiry", label: "Expiring soonest" },
] as const;

/** Reads the filter in the address. */
function filterOf({ get }: AddressValues): UserFilter {
  const [state, order] = [get("state"), get("order")];
  return {
    search: get("search") ?? ALL.search,
    state: STATES.find(({ value }) => value === state)?.value ?? ALL.state,
    order: ORDERS.find(({ value }) => value === order)?.value ?? ALL.order,
  };
}

function UserList({ users, usage }: { users: readonly User[]; usage: ReadonlyMap<string, UserUsage> }) {
  const address = useAddress();
  const filter = filterOf(address);
  const search = JSON.stringify(filter);
  const found = useMemo(
    () => selectUsers(users, filter, { requestsOf: (id) => usage.get(id)?.asks ?? 0, now: Date.now() }),
    [users, search, usage],
  );
  const { shown, ...pages } = pagesOf(found, PAGE_ROWS, Number(address.get("page") ?? 1) - 1);
  const choose = (values: Record<string, string>) => address.change({ ...values, page: undefined });
  if (users.length === 0)
    return (
      <Card>
        <EmptyState title="There are no users yet.">
          <p>
            Add a user for each person or program, and give them the user's token instead of the admin key.
          </p>
        </EmptyState>
      </Card>
    );
  return (
    <>
      <search class="users-filter">
        <Field
          label="Search"
          name="search"
          type="search"
          placeholder="Name, ID or model"
          value={filter.search}
          onInput={(text) => choose({ search: text })}
        />
        <Select
          label="State"
          name="state"
          value={filter.state}
          options={STATES}
          onInput={(state) => choose({ state })}
        />
        <Select
          label="Sort by"
          name="order"
          value={filter.order}
          options={ORDERS}
          onInput={(order) => choose({ order })}
        />
      </search>
      <p class="off-screen" role="status">
        {search === JSON.stringify(ALL) ? "" : `${formatCount(found.length, "user")} found`}
      </p>
      <Card isFlush>
        <UserTable users={shown} usage={usage} />
        <Pagination
          {...pages}
          label="User pages"
          onTurn={(page) => address.change({ page: page > 0 ? String(page + 1) : undefined })}
        />
      </Card>
    </>
  );
}
