import type { Child } from "hono/jsx/dom";
import { printable } from "../../../printable.ts";
import { EmptyState, Notice } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { formatDuration, formatMoney, formatNumber, formatSecond } from "../../format.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { richText, text } from "../../texts/texts.ts";
import { mediaFactsOf } from "../usage/media-facts.ts";
import { ADMIN_ID, PrincipalLink } from "../users/principal-link.tsx";
import { type RequestView, requestsHref } from "./request-filter.ts";
import type { RequestSource, ShownPage, ShownRequest } from "./request-source.ts";
import { AgentName } from "./request-table.tsx";
import { ErrorName, Result } from "./result.tsx";

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
    <Dialog title={text("request.title")} onClose={close}>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {request ? (
        <Details request={request} view={view} currency={currency} />
      ) : (
        <EmptyState title={text(value === undefined && !error ? "request.searching" : "request.notKept")} />
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
        {request.outcome === "ok" ? null : <span class="mono muted">{request.outcome}</span>}
        <span class="mono wrap-anywhere">{request_id}</span>
        <CopyButton text={request_id} what={text("request.what.id")} isSmall />
      </div>
      {request.error ? <Notice tone="bad">{printable(request.error)}</Notice> : null}
      <Facts
        rows={[
          [text("requests.arrived"), <time datetime={at}>{formatSecond(at)}</time>],
          [text("requests.model"), printable(model ?? text("requests.anyModel"))],
          [text("requests.endpoint"), surface],
          ...(user === undefined ? [] : [[text("requests.user"), <PrincipalLink user={user} />] as Row]),
          ...(agent === undefined ? [] : [[text("requests.agent"), <AgentName agent={agent} />] as Row]),
          [text("request.upstreamStatus"), request.upstream_status ?? text("request.upstreamStatus.none")],
          [text("request.timesSent"), formatNumber(tries)],
          ...(currency === null ? [] : [costRow(request.cost, currency)]),
          ...(typeof on_cached_agent === "boolean"
            ? [
                [
                  text("request.cachedAgent"),
                  text(on_cached_agent ? "request.cachedAgent.yes" : "request.cachedAgent.no"),
                ] as Row,
              ]
            : []),
        ]}
      />
      <Times request={request} />
      {counts.length > 0 ? <Facts rows={counts} /> : <p class="muted">{text("request.noTokens")}</p>}
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
          [text("request.queued"), formatDuration(queue_ms)],
          [
            text("request.firstByteAfter"),
            first_byte_ms === null ? text("request.firstByteAfter.none") : formatDuration(first_byte_ms),
          ],
          [text("requests.duration"), formatDuration(duration_ms)],
        ]}
      />
    </div>
  );
}

function tokenRows(request: ShownRequest): Row[] {
  const { prompt_tokens, completion_tokens, first_byte_ms, duration_ms, tokens_estimated } = request;
  const shown = (count: number) =>
    tokens_estimated ? text("request.estimate", { count: formatNumber(count) }) : formatNumber(count);
  const rows: [string, number | null][] = [
    [text("requests.inputTokens"), prompt_tokens],
    [text("request.cacheRead"), request.cached_tokens],
    [text("request.cacheWritten"), request.cache_creation_tokens],
    [text("requests.outputTokens"), completion_tokens],
    [text("request.reasoning"), request.reasoning_tokens],
  ];
  const answerMs = duration_ms - (first_byte_ms ?? duration_ms);
  const speed = completion_tokens !== null && answerMs > 0 ? (1000 * completion_tokens) / answerMs : null;
  return [
    ...rows.flatMap(([label, count]): Row[] => (count === null ? [] : [[label, shown(count)]])),
    ...(speed === null ? [] : [[text("request.tokensPerSecond"), formatNumber(speed)] as Row]),
  ];
}

const mediaRows = (request: ShownRequest): Row[] =>
  mediaFactsOf(request).map(({ name, label, show }) => [label, show(request[name] ?? 0)]);

function FailedTries({ tries }: { tries: ShownRequest["failed_tries"] }) {
  return (
    <section class="request-tries">
      <h3>{text("request.failedTries")}</h3>
      <ol>
        {tries.map(({ agent, code, error, sent_after_ms }, index) => (
          <li key={index}>
            {richText(agent ? "request.failedTryAt" : "request.failedTry", {
              code: <ErrorName code={code} />,
              time: formatDuration(sent_after_ms),
              agent: agent ? <AgentName agent={agent} /> : null,
              error: printable(error),
            })}
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
    [text("request.thisResult"), { outcome }],
    [text("request.thisEndpoint"), { surface }],
    ...(model === null ? [] : [[text("request.thisModel"), { model }] as [string, RequestView]]),
    ...(agent ? [[text("request.thisAgent"), { agent: agent.id }] as [string, RequestView]] : []),
    ...(user === undefined
      ? []
      : [[text("request.thisUser"), { user: user?.user_id ?? ADMIN_ID }] as [string, RequestView]]),
  ];
  return (
    <p class="row">
      <span class="muted">{text("request.allWith")}</span>
      {links.map(([label, only]) => (
        <a key={label} href={requestsHref({ period, from, to, ...only })}>
          {label}
        </a>
      ))}
    </p>
  );
}
