import { api, usagePath } from "../../api/api.ts";
import type { SessionAnswer } from "../../api/shapes.ts";
import { formatTime, formatWhole } from "../../format.ts";
import { Button } from "../../kit/button.tsx";
import { Card, Notice } from "../../kit/card.tsx";
import { PageHead } from "../../kit/page-head.tsx";
import { useAnswer } from "../../state/use-answer.ts";
import { readStanding, type Standing } from "./standing.ts";
import { type UsageSource, UsageView } from "./usage-view.tsx";

type Own = NonNullable<SessionAnswer["user"]>;

const SOURCE: UsageSource = {
  key: "own",
  ask: (query, signal) => api.ownUsage(query, signal),
  csvPath: (query) => usagePath("api", { ...query, format: "csv" }),
  groups: ["day", "model"],
};

/** What users see of themselves: their limits and how they stand, and what they have used. */
export function OwnUsage({ user }: { user: Own }) {
  return (
    <>
      <PageHead title="Usage" lead={`What ${user.name ?? "you"} asked, and what is left.`} />
      <Limits user={user} />
      <UsageView source={SOURCE} />
    </>
  );
}

function Limits({ user }: { user: Own }) {
  const { value, error, reload } = useAnswer((signal) => api.ownStanding(signal), []);
  const requests = value && readStanding(value, "requests");
  const tokens = value && readStanding(value, "tokens");
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
        <Limit title="Asks a minute" limit={user.requests_per_minute} standing={requests} />
        <Limit title="Tokens today" limit={user.tokens_per_day} standing={tokens} />
        <Limit title="Asks at once" limit={user.max_parallel} standing={undefined} />
        <div>
          <dt>Models</dt>
          <dd class="user-fact-text">{user.models ? user.models.join(", ") : "every one"}</dd>
        </div>
        <div>
          <dt>Valid until</dt>
          <dd>{user.expires_at ? formatTime(user.expires_at) : "no end is set"}</dd>
        </div>
      </dl>
    </Card>
  );
}

interface LimitProps {
  title: string;
  limit: number | null;
  standing: Standing | undefined;
}

function Limit({ title, limit, standing }: LimitProps) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        {limit === null ? "no limit" : standing ? <Left {...standing} /> : `${formatWhole(limit)} at most`}
      </dd>
    </div>
  );
}

function Left({ limit, remaining, reset }: Standing) {
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
      <span class="muted">{remaining < limit ? `all of it again in ${reset}` : "all of it"}</span>
    </span>
  );
}
