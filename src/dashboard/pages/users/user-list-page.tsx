import { useMemo } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { AddedUser, User } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { Field, Select } from "../../components/field.tsx";
import { Pagination, pagesOf } from "../../components/list/pagination.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { TokenDialog } from "../../components/tokens/token-dialog.tsx";
import { formatWhole } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { type AddressValues, useAddress } from "../../state/use-address.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { countedText, text } from "../../texts/texts.ts";
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
        title={text("users.title")}
        lead={
          count > 0
            ? countedText("users.lead", count, { count: formatWhole(count) })
            : text("users.lead.none")
        }
      >
        <Button kind="primary" onClick={() => setAdding(true)}>
          {text("users.add")}
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
          title={text("users.tokenFor", { user: added.name ?? text("users.newUser") })}
          token={added.token}
          onClose={() => setAdded(undefined)}
        />
      ) : null}
    </>
  );
}

interface UsageByUser {
  of: ReadonlyMap<string, UserUsage>;
  currency: string | null;
}

/** Returns each user's usage in the last 30 days; empty until it is loaded. */
function useUsageByUser(): UsageByUser {
  const { value } = useFetch((signal) => api.usage({ by: ["user"], limit: USERS_MAX }, signal), []);
  return useMemo(
    () => ({
      of: new Map((value?.usage ?? []).map((entry) => [entry.user ?? "", entry])),
      currency: value?.currency ?? null,
    }),
    [value],
  );
}

const STATES = [
  { value: "all", label: text("users.filter.all") },
  { value: "active", label: text("users.filter.active") },
  { value: "disabled", label: text("users.filter.disabled") },
  { value: "expired", label: text("users.filter.expired") },
] as const;

const ORDERS = [
  { value: "newest", label: text("users.order.newest") },
  { value: "oldest", label: text("users.order.oldest") },
  { value: "name", label: text("users.order.name") },
  { value: "requests", label: text("users.order.requests") },
  { value: "expiry", label: text("users.order.expiry") },
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

function UserList({ users, usage }: { users: readonly User[]; usage: UsageByUser }) {
  const address = useAddress();
  const filter = filterOf(address);
  const search = JSON.stringify(filter);
  const found = useMemo(
    () => selectUsers(users, filter, { requestsOf: (id) => usage.of.get(id)?.asks ?? 0, now: Date.now() }),
    [users, search, usage],
  );
  const { shown, ...pages } = pagesOf(found, PAGE_ROWS, Number(address.get("page") ?? 1) - 1);
  const choose = (values: Record<string, string>) => address.change({ ...values, page: undefined });
  if (users.length === 0)
    return (
      <Card>
        <EmptyState title={text("users.empty")}>
          <p>{text("users.empty.hint")}</p>
        </EmptyState>
      </Card>
    );
  return (
    <>
      <search class="filter-bar">
        <Field
          label={text("users.search")}
          name="search"
          type="search"
          placeholder={text("users.search.placeholder")}
          value={filter.search}
          onInput={(text) => choose({ search: text })}
        />
        <Select
          label={text("users.filter.state")}
          name="state"
          value={filter.state}
          options={STATES}
          onInput={(state) => choose({ state })}
        />
        <Select
          label={text("users.order")}
          name="order"
          value={filter.order}
          options={ORDERS}
          onInput={(order) => choose({ order })}
        />
      </search>
      <p class="off-screen" role="status">
        {search === JSON.stringify(ALL)
          ? ""
          : countedText("users.found", found.length, { count: formatWhole(found.length) })}
      </p>
      <Card isFlush class="users-card short-cards">
        <UserTable users={shown} usage={usage.of} currency={usage.currency} />
        <Pagination
          {...pages}
          label={text("users.pages")}
          onTurn={(page) => address.change({ page: page > 0 ? String(page + 1) : undefined })}
        />
      </Card>
    </>
  );
}
