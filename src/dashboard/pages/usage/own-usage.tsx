import { LIMIT_FIELDS, type LimitField, USER_ATTRIBUTES } from "../../../user-attributes.ts";
import { api, usagePath } from "../../api/api.ts";
import type { SessionAnswer } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, Notice } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatTime, formatWhole } from "../../format.ts";
import { useFetch } from "../../state/use-fetch.ts";
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
      <PageHeader title="Usage" lead="Your requests, your tokens, and what is left of your limits." />
      <Limits user={user} />
      <UsageView source={SOURCE} />
    </>
  );
}

/** A user's limits, with what is left of them. */
export function Limits({ user }: { user: Own }) {
  const { value, error, reload } = useFetch((signal) => api.ownRateLimits(signal), []);
  // Only for these two limits the headers of a response say what is left.
  const statuses: { [Field in LimitField]?: RateLimitStatus | undefined } = {
    requests_per_minute: value && readRateLimit(value, "requests"),
    tokens_per_day: value && readRateLimit(value, "tokens"),
  };
  return (
    <Card
      title="Your limits"
      actions={
        <Button isSmall kind="quiet" onClick={reload}>
          Refresh
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
        <div>
          <dt>Models</dt>
          <dd class="user-fact-text">{user.models ? user.models.join(", ") : "all"}</dd>
        </div>
        <div>
          <dt>{USER_ATTRIBUTES.priority.label}</dt>
          <dd>{user.priority ?? "normal"}</dd>
        </div>
        <div>
          <dt>{USER_ATTRIBUTES.agent_tags.label}</dt>
          <dd class="user-fact-text">{user.agent_tags?.join(", ") ?? "all agents"}</dd>
        </div>
        <div>
          <dt>Valid until</dt>
          <dd>{user.expires_at ? formatTime(user.expires_at) : "no expiry date"}</dd>
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
        {limit === null ? "no limit" : status ? <Remaining {...status} /> : `up to ${formatWhole(limit)}`}
      </dd>
    </div>
  );
}

function Remaining({ limit, remaining, reset }: RateLimitStatus) {
  return (
    <span class="left">
      <span>
        {formatWhole(remaining)} of {formatWhole(limit)} left
      </span>
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
        {remaining < limit ? `back to ${formatWhole(limit)} in ${reset}` : "nothing used yet"}
      </span>
    </span>
  );
}
