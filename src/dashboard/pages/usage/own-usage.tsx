import { LIMIT_FIELDS, type LimitField, USER_ATTRIBUTES } from "../../../user-attributes.ts";
import { api, usagePath } from "../../api/api.ts";
import type { SessionAnswer } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, Notice } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatAmount, formatDuration, formatWhole, formatZoned } from "../../format.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { text } from "../../texts/texts.ts";
import { type RateLimitStatus, readRateLimit } from "./rate-limit.ts";
import { type UsageSource, UsageView } from "./usage-view.tsx";

type Own = NonNullable<SessionAnswer["user"]>;

const SOURCE: UsageSource = {
  key: "own",
  load: (query, signal) => api.ownUsage(query, signal),
  csvPath: (query) => usagePath("api", { ...query, format: "csv" }),
  groups: ["day", "model"],
};

/** A user's own usage and limits. */
export function OwnUsage({ user }: { user: Own }) {
  return (
    <>
      <PageHeader title={text("usage.title")} lead={text("ownUsage.lead")} />
      <Limits user={user} />
      <UsageView source={SOURCE} />
    </>
  );
}

/** A user's limits, with what is left of them. */
export function Limits({ user }: { user: Own }) {
  const { value, error, reload } = useFetch((signal) => api.ownRateLimits(signal), []);
  const { value: who, reload: reloadBudgets } = useFetch((signal) => api.session(signal), []);
  const refresh = () => {
    reload();
    reloadBudgets();
  };
  // Only for these two limits the headers of a response say what is left.
  const statuses: { [Field in LimitField]?: RateLimitStatus | undefined } = {
    requests_per_minute: value && readRateLimit(value, "requests"),
    tokens_per_day: value && readRateLimit(value, "tokens"),
  };
  return (
    <Card
      title={text("ownUsage.limits")}
      actions={
        <Button isSmall kind="quiet" onClick={refresh}>
          {text("ownUsage.refresh")}
        </Button>
      }
    >
      {error ? <Notice tone="bad">{error}</Notice> : null}
      <dl class="user-facts">
        {LIMIT_FIELDS.map((field) => (
          <Limit
            key={field}
            title={USER_ATTRIBUTES[field].label}
            limit={user[field]}
            status={statuses[field]}
          />
        ))}
        {who ? <Budgets {...who} /> : null}
        <div class={user.models ? "user-fact-wide" : ""}>
          <dt>{text("ownUsage.models")}</dt>
          <dd class="user-fact-text" dir="auto">
            {user.models ? user.models.join(", ") : text("ownUsage.allModels")}
          </dd>
        </div>
        <div>
          <dt>{USER_ATTRIBUTES.priority.label}</dt>
          <dd>{user.priority ?? text("ownUsage.normalPriority")}</dd>
        </div>
        <div>
          <dt>{USER_ATTRIBUTES.agent_tags.label}</dt>
          <dd class="user-fact-text">{user.agent_tags?.join(", ") ?? text("ownUsage.allAgents")}</dd>
        </div>
        <div>
          <dt>{text("ownUsage.validUntil")}</dt>
          <dd>{user.expires_at ? formatZoned(user.expires_at) : text("ownUsage.noExpiry")}</dd>
        </div>
      </dl>
    </Card>
  );
}

interface LimitProps {
  title: string;
  limit: number | null;
  status: RateLimitStatus | undefined;
}

function Limit({ title, limit, status }: LimitProps) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        {limit === null ? (
          text("ownUsage.noLimit")
        ) : status ? (
          <Remaining {...status} format={formatWhole} />
        ) : (
          text("ownUsage.upTo", { limit: formatWhole(limit) })
        )}
      </dd>
    </div>
  );
}

/** Shows how much is left of the budgets that the user has. */
function Budgets({ budgets, currency }: Pick<SessionAnswer, "budgets" | "currency">) {
  return BUDGETS.map(({ field, name }) => {
    const budget = budgets[name];
    if (!budget) return null;
    const reset = formatDuration(Math.max(0, Date.parse(budget.resets_at) - Date.now()));
    return (
      <div key={field}>
        <dt>{USER_ATTRIBUTES[field].label}</dt>
        <dd>
          <Remaining {...budget} reset={reset} format={(value) => formatAmount(value, currency)} />
        </dd>
      </div>
    );
  });
}

const BUDGETS = [
  { field: "budget_day", name: "day" },
  { field: "budget_month", name: "month" },
] as const;

function Remaining({
  limit,
  remaining,
  reset,
  format,
}: RateLimitStatus & { format: (value: number) => string }) {
  return (
    <span class="left">
      <span>{text("ownUsage.left", { remaining: format(remaining), limit: format(limit) })}</span>
      <svg class="share-bar wide" aria-hidden="true" focusable="false">
        <rect class="share-all" width="100%" height="100%" rx="3" />
        <rect
          class={remaining > 0 ? "share-part" : "share-part none"}
          width={`${Math.min(100, (100 * remaining) / limit)}%`}
          height="100%"
          rx="3"
        />
      </svg>
      <span class="muted">
        {remaining < limit ? text("ownUsage.backIn", { time: reset }) : text("ownUsage.unused")}
      </span>
    </span>
  );
}
