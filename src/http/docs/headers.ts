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

const RATE_LIMITS = {
  "x-ratelimit-limit-requests": whole(
    "Of a user with such a limit: the asks he may make in any minute.",
    100,
  ),
  "x-ratelimit-remaining-requests": whole("How many of them are left.", 99),
  "x-ratelimit-reset-requests": text("How long until all of them are there again.", "1m0s"),
  "x-ratelimit-limit-tokens": whole("The same for the tokens of a day of UTC.", 50_000),
  "x-ratelimit-remaining-tokens": whole("How many tokens are left.", 48_211),
  "x-ratelimit-reset-tokens": text("How long until the next day.", "6h12m4.5s"),
};

const RETRY = {
  "retry-after": whole("Seconds after which to try again, where that may help; 60 at most.", 10),
  "retry-after-ms": whole("The same in milliseconds.", 10_000),
  "x-should-retry": text("`false` where only the next day helps, or where the upstream says so.", "false"),
};

/** `components.headers`. */
export const HEADERS = {
  "x-request-id": text(
    "The request's id, which is in its log line too.",
    "req_6f1c2c1e-2b1e-4a55-9a0e-6d5b2f0f1a11",
  ),
  ...RETRY,
  ...RATE_LIMITS,
  etag: text("Send it as `If-None-Match` to be answered 304 while nothing has changed.", '"0rXc…"'),
  "x-truncated": text("`true` where the CSV is cut at `limit`.", "true"),
  "content-disposition": text(
    "Of CSV and of a backup: the name that it may be saved under.",
    'attachment; filename="usage.csv"',
  ),
  "x-accel-buffering": text("`no` where it is a stream, so that nginx passes each event on.", "no"),
  "content-encoding": text("Where the caller takes it compressed.", "gzip"),
  "set-cookie": text(
    "The session, or the end of it; only where there is one.",
    "session-8080=…; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200",
  ),
  location: text("Where to go.", "dashboard"),
  allow: text("The methods that the path takes.", "GET, HEAD, OPTIONS"),
};

export type HeaderName = keyof typeof HEADERS;

const refs = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** Errors after which the same may succeed; what an agent said of its upstream may be told with any error. */
const RETRIED = new Set(["429", "502", "503", "4XX", "5XX"]);

interface HeaderOptions {
  /** It tells a user how he stands. */
  limited?: boolean | undefined;
  /** It may be an upstream's error. */
  passedOn?: boolean | undefined;
  more?: readonly HeaderName[];
}

/** Of an answer with this status. */
export function headersOf(
  status: string,
  { limited = false, passedOn = false, more = [] }: HeaderOptions = {},
) {
  return refs([
    "x-request-id",
    ...(RETRIED.has(status) || (passedOn && Number(status[0]) >= 4) ? Object.keys(RETRY) : []),
    ...(limited ? Object.keys(RATE_LIMITS) : []),
    ...more,
  ]);
}
