import type { Child } from "hono/jsx/dom";
import { printable } from "../../../printable.ts";
import { EmptyState, Notice } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { formatDuration, formatMoney, formatNumber, formatSecond } from "../../format.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { text } from "../../texts/texts.ts";
import { mediaFactsOf } from "../usage/media-facts.ts";
import { ADMIN_ID, PrincipalLink } from "../users/principal-link.tsx";
import { type RequestView, requestsHref } from "./request-filter.ts";
import type { RequestSource, ShownPage, ShownRequest } from "./request-source.ts";
import { AgentName, Result } from "./request-table.tsx";

interface RequestPanelProps {
  source: RequestSource;
  view: RequestView;
  /** The list, which mostly has the request. */
  page: ShownPage | undefined;
}

/** Everything that is known of one request. */
export function RequestPanel({ source, view, page }: RequestPanelProps) {
  const { open, at } = view;
  const listed = page?.requests.find(({ request_id }) => request_id === open);
  const { value, error } = useFetch(
    async (signal) => (page && listed ? page : await find(source, view, signal)),
    [open, at],
  );
  const request = value?.requests.find(({ request_id }) => request_id === open) ?? listed;
  const currency = value?.currency ?? page?.currency ?? null;
  const close = () => {
    location.hash = requestsHref({ ...view, open: undefined, at: undefined });
  };
  return (
    <Dialog title="Request" onClose={close}>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {request ? (
        <Details request={request} view={view} currency={currency} />
      ) : (
        <EmptyState title={value === undefined && !error ? "Searching …" : "This request is not kept."} />
      )}
    </Dialog>
  );
}

function find(source: RequestSource, { open, at }: RequestView, signal: AbortSignal): Promise<ShownPage> {
  const time = Date.parse(at ?? "");
  const period = Number.isNaN(time) ? {} : { from: near(time, -1), to: near(time, 1) };
  return source.load({ id: open, ...period }, signal);
}

/** Returns a time some seconds away: that of a live request may be rounded. */
const near = (time: number, seconds: number) => new Date(time + seconds * 1000).toISOString();

interface DetailsProps {
  request: ShownRequest;
  view: RequestView;
  currency: string | null;
}

function Details({ request, view, currency }: DetailsProps) {
  const { request_id, at, model, surface, user, agent, tries, failed_tries, on_cached_agent } = request;
  const counts = [...tokenRows(request), ...mediaRows(request)];
  return (
    <>
      <div class="row">
        <Result request={request} />
        <span class="mono request-id">{request_id}</span>
        <CopyButton text={request_id} what="the request ID" isSmall />
      </div>
      {request.error ? <Notice tone="bad">{printable(request.error)}</Notice> : null}
      <Facts
        rows={[
          ["Arrived", <time datetime={at}>{formatSecond(at)}</time>],
          ["Model", printable(model ?? "any")],
          ["Endpoint", surface],
          ...(user === undefined ? [] : [["User", <PrincipalLink user={user} />] as Row]),
          ...(agent === undefined ? [] : [["Agent", <AgentName agent={agent} />] as Row]),
          ["Upstream status", request.upstream_status ?? "none"],
          ["Times sent", formatNumber(tries)],
          ...(currency === null ? [] : [costRow(request.cost, currency)]),
          ...(typeof on_cached_agent === "boolean"
            ? [["Agent with a part cached", on_cached_agent ? "yes" : "no, another one has"] as Row]
            : []),
        ]}
      />
      <Times request={request} />
      {counts.length > 0 ? <Facts rows={counts} /> : <p class="muted">No tokens were counted.</p>}
      {failed_tries.length > 0 ? <FailedTries tries={failed_tries} /> : null}
      <MoreLikeThis request={request} view={view} />
    </>
  );
}

type Row = [label: string, value: Child];

const costRow = (cost: number | null, currency: string): Row => [
  text("requests.cost"),
  cost === null ? text("requests.noPrice") : formatMoney(cost, currency),
];

function Facts({ rows }: { rows: readonly Row[] }) {
  return (
    <dl class="request-facts">
      {rows.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The queue, the wait for the first byte, and the rest of the answer, as numbers and as parts of a bar. */
function Times({ request: { queue_ms, first_byte_ms, duration_ms } }: { request: ShownRequest }) {
  const firstByte = first_byte_ms ?? duration_ms;
  const all = Math.max(duration_ms, 1);
  const parts = [
    { name: "part-queue", from: 0, to: queue_ms },
    { name: "part-wait", from: queue_ms, to: firstByte },
    { name: "part-answer", from: firstByte, to: duration_ms },
  ];
  return (
    <div class="request-times">
      <svg class="request-bar" aria-hidden="true" focusable="false">
        {parts.map(({ name, from, to }) => (
          <rect
            key={name}
            class={name}
            x={`${(100 * from) / all}%`}
            width={`${(100 * Math.max(0, to - from)) / all}%`}
            height="100%"
          />
        ))}
      </svg>
      <Facts
        rows={[
          ["In the queue", formatDuration(queue_ms)],
          ["First byte after", first_byte_ms === null ? "none came" : formatDuration(first_byte_ms)],
          ["Duration", formatDuration(duration_ms)],
        ]}
      />
    </div>
  );
}

function tokenRows(request: ShownRequest): Row[] {
  const { prompt_tokens, completion_tokens, first_byte_ms, duration_ms, tokens_estimated } = request;
  const estimate = tokens_estimated ? "≈ " : "";
  const rows: [string, number | null][] = [
    ["Input tokens", prompt_tokens],
    ["Read from a cache", request.cached_tokens],
    ["Written to a cache", request.cache_creation_tokens],
    ["Output tokens", completion_tokens],
    ["For reasoning", request.reasoning_tokens],
  ];
  const answerMs = duration_ms - (first_byte_ms ?? duration_ms);
  const speed = completion_tokens !== null && answerMs > 0 ? (1000 * completion_tokens) / answerMs : null;
  return [
    ...rows.flatMap(([label, count]): Row[] =>
      count === null ? [] : [[label, `${estimate}${formatNumber(count)}`]],
    ),
    ...(speed === null ? [] : [["Output tokens per second", formatNumber(speed)] as Row]),
  ];
}

const mediaRows = (request: ShownRequest): Row[] =>
  mediaFactsOf(request).map(({ name, label, show }) => [label, show(request[name] ?? 0)]);

function FailedTries({ tries }: { tries: ShownRequest["failed_tries"] }) {
  return (
    <section class="request-tries">
      <h3>Failed tries</h3>
      <ol>
        {tries.map(({ agent, code, error, sent_after_ms }, index) => (
          <li key={index}>
            <span class="mono">{code}</span> after {formatDuration(sent_after_ms)}
            {agent ? (
              <>
                {" "}
                at <AgentName agent={agent} />
              </>
            ) : null}
            : {printable(error)}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Links to the requests that share a value with this one. */
function MoreLikeThis({ request, view }: { request: ShownRequest; view: RequestView }) {
  const { period, from, to } = view;
  const { model, outcome, agent, user, surface } = request;
  const links: [string, RequestView][] = [
    ["this result", { outcome }],
    ["this endpoint", { surface }],
    ...(model === null ? [] : [["this model", { model }] as [string, RequestView]]),
    ...(agent ? [["this agent", { agent: agent.id }] as [string, RequestView]] : []),
    ...(user === undefined
      ? []
      : [["this user", { user: user?.user_id ?? ADMIN_ID }] as [string, RequestView]]),
  ];
  return (
    <p class="row">
      <span class="muted">All requests with</span>
      {links.map(([text, only]) => (
        <a key={text} href={requestsHref({ period, from, to, ...only })}>
          {text}
        </a>
      ))}
    </p>
  );
}
