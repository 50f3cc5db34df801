import type { LiveAsk } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState } from "../../components/card.tsx";
import { Name } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatClock, formatDuration, formatNumber } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { useHeld } from "../../state/use-held.ts";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { Result } from "../requests/result.tsx";
import { PrincipalLink } from "../users/principal-link.tsx";

const SHOWN_AT_FIRST = 15;

const COLUMNS: readonly Column<LiveAsk>[] = [
  {
    title: text("overview.recent.ended"),
    cell: (request) => <Ended request={request} />,
    isHeader: true,
  },
  { title: text("overview.recent.result"), cell: (request) => <Result request={request} /> },
  {
    title: text("overview.recent.model"),
    cell: ({ model }) => <Name text={model ?? text("overview.recent.anyModel")} />,
  },
  { title: text("overview.recent.user"), cell: ({ user }) => <PrincipalLink user={user} /> },
  {
    title: text("overview.recent.agent"),
    cell: ({ agent }) =>
      agent ? <Name text={agent.name} /> : <span class="muted">{text("overview.recent.noAgent")}</span>,
  },
  {
    title: text("overview.recent.endpoint"),
    cell: ({ surface }) => <span class="mono">{surface}</span>,
    isMinor: true,
  },
  { title: text("overview.recent.queued"), cell: ({ queue_ms }) => formatDuration(queue_ms), isNumber: true },
  {
    title: text("overview.recent.firstByte"),
    cell: ({ first_byte_ms }) => formatDuration(first_byte_ms),
    isNumber: true,
  },
  {
    title: text("overview.recent.duration"),
    cell: ({ duration_ms }) => formatDuration(duration_ms),
    isNumber: true,
  },
  {
    title: text("overview.recent.inputTokens"),
    cell: ({ prompt_tokens, tokens_estimated }) => (
      <Tokens count={prompt_tokens} isEstimate={tokens_estimated} />
    ),
    isNumber: true,
  },
  {
    title: text("overview.recent.outputTokens"),
    cell: ({ completion_tokens, tokens_estimated }) => (
      <Tokens count={completion_tokens} isEstimate={tokens_estimated} />
    ),
    isNumber: true,
  },
];

/** The latest finished requests, without their content, which the server does not keep. */
export function RecentRequests({ requests }: { requests: readonly LiveAsk[] }) {
  const [showsAll, setShowsAll] = useState(false);
  const { shown, isHeld, hold } = useHeld(requests);
  const isCut = shown.length > SHOWN_AT_FIRST;
  return (
    <div {...hold}>
      <Card
        title={text("overview.recent.title")}
        isFlush
        class="requests short-cards"
        actions={
          <>
            {isHeld ? <span class="muted">{text("overview.recent.held")}</span> : null}
            {isCut ? (
              <Button isSmall kind="quiet" onClick={() => setShowsAll((before) => !before)}>
                {showsAll
                  ? text("overview.recent.showSome", { count: SHOWN_AT_FIRST })
                  : text("overview.recent.showAll", { count: shown.length })}
              </Button>
            ) : null}
          </>
        }
      >
        <Table
          caption={text("overview.recent.title")}
          columns={COLUMNS}
          rows={showsAll ? shown : shown.slice(0, SHOWN_AT_FIRST)}
          keyOf={({ request_id }) => request_id}
          empty={<EmptyState title={text("requests.noneYet")} />}
        />
      </Card>
    </div>
  );
}

/** Links to the request's details, with the time at which it arrived. */
function Ended({ request: { at, request_id, duration_ms } }: { request: LiveAsk }) {
  const arrived = new Date(Date.parse(at) - Math.round(duration_ms)).toISOString();
  return (
    <a href={requestsHref({ open: request_id, at: arrived })}>
      <time datetime={at}>{formatClock(at)}</time>
      <span class="off-screen"> {text("overview.recent.details")}</span>
    </a>
  );
}

function Tokens({ count, isEstimate }: { count: number | null; isEstimate: boolean }) {
  if (!isEstimate) return <>{formatNumber(count)}</>;
  return (
    <span title={text("overview.recent.estimated")}>
      {text("request.estimate", { count: formatNumber(count) })}
    </span>
  );
}
