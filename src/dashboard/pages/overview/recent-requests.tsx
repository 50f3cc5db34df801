import { useState } from "hono/jsx/dom";
import type { LiveAsk } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState } from "../../components/card.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatClock, formatDuration, formatNumber } from "../../format.ts";
import { hrefOf } from "../../state/route.ts";
import { labelOf } from "../users/user-filter.ts";

const FEW = 15;

const COLUMNS: readonly Column<LiveAsk>[] = [
  { title: "Ended", cell: ({ at }) => <time datetime={at}>{formatClock(at)}</time> },
  { title: "Outcome", cell: (ask) => <Outcome ask={ask} /> },
  { title: "Model", cell: ({ model }) => model ?? "any" },
  { title: "User", cell: (ask) => <UserOf ask={ask} /> },
  { title: "Agent", cell: ({ agent }) => agent?.name ?? <span class="muted">none</span> },
  { title: "Route", cell: ({ surface }) => <span class="mono">{surface}</span> },
  { title: "Waited", cell: ({ queue_ms }) => formatDuration(queue_ms), isNumber: true },
  { title: "First byte", cell: ({ first_byte_ms }) => formatDuration(first_byte_ms), isNumber: true },
  { title: "Took", cell: ({ duration_ms }) => formatDuration(duration_ms), isNumber: true },
  { title: "Tokens", cell: tokensOf, isNumber: true },
];

/** Who asked which agent for what model, and how it went; never the content, which the server does not keep. */
export function RecentRequests({ asks }: { asks: readonly LiveAsk[] }) {
  const [showsAll, setShowsAll] = useState(false);
  const isCut = asks.length > FEW;
  return (
    <Card
      title="Newest asks"
      isFlush
      actions={
        isCut ? (
          <Button isSmall kind="quiet" onClick={() => setShowsAll((before) => !before)}>
            {showsAll ? `Show ${FEW}` : `Show all ${asks.length}`}
          </Button>
        ) : null
      }
    >
      <Table
        caption="Newest asks"
        columns={COLUMNS}
        rows={showsAll ? asks : asks.slice(0, FEW)}
        keyOf={({ request_id }) => request_id}
        empty={<EmptyState title="No ask has ended yet." />}
      />
    </Card>
  );
}

/** An upstream's refusal, such as of a context that is too long, is passed on, which went well for the server. */
function Outcome({ ask: { outcome, upstream_status } }: { ask: LiveAsk }) {
  if (outcome !== "ok") return <Badge tone="bad">{outcome}</Badge>;
  if (upstream_status !== null && upstream_status >= 400)
    return <Badge tone="warn">status {upstream_status}</Badge>;
  return <Badge tone="ok">ok</Badge>;
}

function UserOf({ ask: { user } }: { ask: LiveAsk }) {
  if (!user) return <>admin key</>;
  return <a href={hrefOf("users", user.user_id)}>{labelOf(user)}</a>;
}

/** Read and written. */
function tokensOf({ prompt_tokens, completion_tokens }: LiveAsk): string {
  if (prompt_tokens === null && completion_tokens === null) return "–";
  return `${formatNumber(prompt_tokens)} + ${formatNumber(completion_tokens)}`;
}
