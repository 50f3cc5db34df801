import { ACCEPTED_ENCODINGS } from "../middleware/compression/decompress.ts";
import { SAMPLE } from "../values.ts";

const text = (description: string, example: string) => ({
  description,
  schema: { type: "string" as const },
  example,
});
const whole = (description: string, example: number) => ({
  description,
  schema: { type: "integer" as const, minimum: 0 },
  example,
});
const money = (description: string, example: number) => ({
  description,
  schema: { type: "number" as const, minimum: 0 },
  example,
});

const RATE_LIMITS = {
  "x-ratelimit-limit-requests": whole("The user's limit of requests in any 60 seconds.", 100),
  "x-ratelimit-remaining-requests": whole("How many of these requests are left.", 99),
  "x-ratelimit-reset-requests": text("How long until all of them are available again.", "1m0s"),
  "x-ratelimit-limit-tokens": whole("The user's limit of tokens in a day, in UTC.", 50_000),
  "x-ratelimit-remaining-tokens": whole("How many tokens are left.", 48_211),
  "x-ratelimit-reset-tokens": text("How long until the next day.", "6h12m4.5s"),
  "x-ratelimit-limit-budget-day": money("The user's budget of a day, in UTC, in units of the currency.", 5),
  "x-ratelimit-remaining-budget-day": money("How much of it is left.", 4.812),
  "x-ratelimit-reset-budget-day": text("How long until the next day.", "6h12m4.5s"),
  "x-ratelimit-limit-budget-month": money("The user's budget of a month, in UTC.", 100),
  "x-ratelimit-remaining-budget-month": money("How much of it is left.", 71.25),
  "x-ratelimit-reset-budget-month": text("How long until the next month.", "78h12m4.5s"),
};

const ASKS = {
  "x-agent-id": text("The id of the agent that the request was last sent to.", SAMPLE.agentId),
  "x-agent-name": text("Its name, if its key says that callers may see it. Percent-encoded.", "office"),
  "x-model": text("The model that the agent was asked for. Percent-encoded.", SAMPLE.model),
  "x-tries": whole("How often the request was sent to an agent.", 1),
  "x-queue-ms": whole("From the arrival of the request until it was last sent, in milliseconds.", 12),
  "x-affinity": text(
    "`hit` if the agent had a part of the request cached, `miss` if another one had.",
    "hit",
  ),
};

const RETRY = {
  "retry-after": whole("After how many seconds to retry, if that may help. At most 60.", 10),
  "retry-after-ms": whole("The same in milliseconds.", 10_000),
  "x-should-retry": text("`false` if only the next day or month helps, or if the upstream says so.", "false"),
};

/** The headers of responses: `components.headers`. */
export const HEADERS = {
  "x-request-id": text("The id of the request, which is also in the log.", SAMPLE.requestId),
  ...RETRY,
  ...RATE_LIMITS,
  ...ASKS,
  "accept-encoding": text("The encodings of a request body that the server decodes.", ACCEPTED_ENCODINGS),
  etag: text("Send it as `If-None-Match` to get a 304 if nothing has changed.", '"0rXc…"'),
  "x-warning": text(
    "Present if requests are missing in the CSV, because they cannot be written.",
    "3 requests are missing: they could not be written. Check the disk.",
  ),
  "x-next": text("The `before` of the next page, if there is one.", "1795856504120.4711"),
  "x-truncated": text("`true` if the CSV is cut off at `limit`.", "true"),
  "x-missing-nodes": text(
    "The names of the nodes of a cluster that did not send all of their agents within a second, percent-encoded, with commas between them.",
    "node-2, node-3",
  ),
  "content-disposition": text(
    "The file name for a CSV table or a backup.",
    'attachment; filename="usage.csv"',
  ),
  "x-accel-buffering": text("`no` for a stream, so that nginx passes each event on at once.", "no"),
  "content-encoding": text("Present if the caller accepts compression.", "gzip"),
  "set-cookie": text(
    "The cookie of the session that begins, or its removal.",
    "session-8080=…; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200",
  ),
  location: text("The path of the dashboard.", "dashboard"),
  allow: text("The methods that the path accepts.", "GET, HEAD, OPTIONS"),
  upgrade: text("The protocol that the path accepts.", "HTTP/1.1"),
};

export type HeaderName = keyof typeof HEADERS;

/** The statuses after which a retry may succeed. With any other, the upstream may have said when to retry. */
const RETRIED = new Set(["429", "502", "503", "504", "4XX", "5XX"]);

interface HeaderOptions {
  /** It shows what is left of the user's limits. */
  limited?: boolean | undefined;
  /** It may be an upstream's error. */
  passedOn?: boolean | undefined;
  /** It may be the answer to a request that an agent was sent. */
  asks?: boolean | undefined;
  more?: readonly HeaderName[];
}

/** Returns references to the headers of a response with this status. */
export function headersOf(
  status: string,
  { limited = false, passedOn = false, asks = false, more = [] }: HeaderOptions = {},
) {
  const names = [
    "x-request-id",
    ...(RETRIED.has(status) || (passedOn && Number(status[0]) >= 4) ? Object.keys(RETRY) : []),
    ...(status === "415" ? ["accept-encoding"] : []),
    ...(limited ? Object.keys(RATE_LIMITS) : []),
    ...(asks ? Object.keys(ASKS) : []),
    ...more,
  ];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
