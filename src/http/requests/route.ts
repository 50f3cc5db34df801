import type { z } from "zod";
import { createUserNames } from "../../auth/user-names.ts";
import { AppError } from "../../errors.ts";
import { unitsOfNanos } from "../../prices/money.ts";
import type { PriceBook } from "../../prices/price-book.ts";
import { type Principal, principalNamed } from "../../principal.ts";
import type { RequestPlace, StoredRequest, UsageStore, UserStore } from "../../store/store.ts";
import { csvResponse } from "../csv.ts";
import { resource, route } from "../route.ts";
import { endOf } from "../usage/query-fields.ts";
import { SAMPLE } from "../values.ts";
import { createExports, type Part } from "./export.ts";
import {
  type KeptRequest,
  LIMIT_HINT,
  LIMIT_MAX,
  type OwnRequest,
  OwnRequestPage,
  OwnRequestQuery,
  placeIn,
  RequestPage,
  RequestQuery,
} from "./schema.ts";

interface RequestDeps {
  usage: Pick<UsageStore, "list">;
  users: Pick<UserStore, "find">;
  prices: Pick<PriceBook, "currency">;
  /** Milliseconds since 1970. */
  now: () => number;
}

const OWN_EXAMPLE: OwnRequest = {
  ...{ request_id: SAMPLE.requestId, at: SAMPLE.laterTime, model: SAMPLE.model },
  ...{ surface: "chat/completions", outcome: "agent_failed", upstream_status: 500 },
  ...{ error: "The agent failed: CUDA out of memory", tries: 1, queue_ms: 1, first_byte_ms: null },
  ...{ duration_ms: 840, prompt_tokens: null, completion_tokens: null, cached_tokens: null },
  ...{ cache_creation_tokens: null, reasoning_tokens: null, tokens_estimated: false },
  ...{ audio_seconds: null, images: null, search_units: null, input_bytes: null, output_bytes: null },
  cost: 0,
  failed_tries: [{ sent_after_ms: 1, code: "agent_failed", error: "The agent failed: CUDA out of memory" }],
};
const AGENT = { id: SAMPLE.agentId, name: "gpu box" };
const EXAMPLE: KeptRequest = {
  ...OWN_EXAMPLE,
  user: { user_id: SAMPLE.userId, name: "Ann" },
  agent: AGENT,
  on_cached_agent: null,
  failed_tries: OWN_EXAMPLE.failed_tries.map((one) => ({ agent: AGENT, ...one })),
};

const OWN_COLUMNS = [
  ...(["at", "request_id", "model", "surface", "outcome", "upstream_status", "error", "tries"] as const),
  ...(["queue_ms", "first_byte_ms", "duration_ms", "prompt_tokens", "completion_tokens"] as const),
  ...(["cached_tokens", "cache_creation_tokens", "reasoning_tokens", "tokens_estimated"] as const),
  ...(["audio_seconds", "images", "search_units", "input_bytes", "output_bytes", "cost"] as const),
];
const COLUMNS = [...OWN_COLUMNS, "user", "user_name", "agent", "agent_name", "on_cached_agent"];

const CSV = (columns: readonly string[]) => ({
  "text/csv": {
    description: "A line of column names, then a line for each request.",
    example: `${columns.join(",")}\r\n`,
  },
});
const DESCRIPTION =
  "Newest first. Numbers and names, never content. A page looks through a bounded number of requests, so it may have fewer than `limit`, or none, and still a `next`.";

const ROUTES = {
  listOwnRequests: route("GET /api/requests", {
    access: "caller",
    summary: "List your own requests",
    description: DESCRIPTION,
    query: OwnRequestQuery,
    answers: {
      200: {
        description: "The requests.",
        headers: ["content-disposition", "x-next"],
        json: OwnRequestPage,
        example: { requests: [OWN_EXAMPLE], currency: "EUR", next: null },
        other: CSV(OWN_COLUMNS),
      },
    },
  }),
  listRequests: route("GET /admin/requests", {
    access: "admin",
    summary: "List the requests of all users",
    description: DESCRIPTION,
    query: RequestQuery,
    answers: {
      200: {
        description: "The requests.",
        headers: ["content-disposition", "x-next"],
        json: RequestPage,
        example: { requests: [EXAMPLE], currency: "EUR", next: "1795856504120.4711" },
        other: CSV(COLUMNS),
      },
    },
  }),
};

/** The kept requests: of all users, and of the caller. */
export const requestRoutes = resource("Usage", ROUTES).handledBy((deps: RequestDeps) => {
  const names = createUserNames(deps.users, deps.now);
  const exportAs = createExports();
  return {
    async listOwnRequests({ caller, query }) {
      const read = async (page: Query) => {
        const { rows, next } = await readPage(deps, page, { principal: caller.principal });
        return { requests: rows.map(ownRequestOf), next };
      };
      if (isLong(query))
        return exportAs(FILE, partsOf(OWN_COLUMNS, query), partReader(OWN_COLUMNS, query, read));
      const { requests, next } = await read(query);
      return query.format === "json"
        ? { requests, currency: deps.prices.currency, next }
        : csvOf(OWN_COLUMNS, requests, next);
    },

    async listRequests({ query }) {
      const { user, agent } = query;
      const principal = user === undefined ? undefined : principalNamed(user);
      const read = async (page: Query) => {
        const { rows, next } = await readPage(deps, page, { principal, agent });
        await names.load(rows.flatMap(({ userId }) => userId ?? []));
        return { requests: rows.map((row) => requestOf(row, names.get)), next };
      };
      const readFlat = async (page: Query) => {
        const { requests, next } = await read(page);
        return { requests: requests.map(flat), next };
      };
      if (isLong(query)) return exportAs(FILE, partsOf(COLUMNS, query), partReader(COLUMNS, query, readFlat));
      const { requests, next } = await read(query);
      return query.format === "json"
        ? { requests, currency: deps.prices.currency, next }
        : csvOf(COLUMNS, requests.map(flat), next);
    },
  };
});

type Query = z.output<typeof OwnRequestQuery>;
type Fields = Readonly<Record<string, unknown>>;

const FILE = "requests.csv";

/** Whether more is wanted than one page has. Throws request_invalid if it must be one page. */
function isLong({ format, limit }: Query): boolean {
  if (limit <= LIMIT_MAX) return false;
  if (format === "csv") return true;
  throw new AppError("request_invalid", { param: "limit", hint: `\`limit\`: ${LIMIT_HINT}.` });
}

const partsOf = (columns: readonly string[], { limit, before }: Query) => ({
  ...{ columns, limit, before: before === undefined ? null : placeText(before) },
});

/** Returns a function that reads the rows of a part of a file. */
function partReader(
  columns: readonly string[],
  query: Query,
  read: (page: Query) => Promise<{ requests: readonly Fields[]; next: string | null }>,
) {
  return async (before: string | null, limit: number): Promise<Part> => {
    const place = before === null ? undefined : placeIn(before);
    const { requests, next } = await read({ ...query, limit, before: place });
    return { rows: cellsOf(columns, requests), next };
  };
}

async function readPage(
  { usage, now }: RequestDeps,
  { from, to, id, before, limit, model, surface, outcome }: Query,
  whose: { principal: Principal | undefined; agent?: string | undefined },
): Promise<{ rows: StoredRequest[]; next: string | null }> {
  const page = await usage.list({
    ...whose,
    from: from === undefined ? 0 : Date.parse(from),
    to: to === undefined ? now() + 1 : endOf(to),
    ...{ limit, model, surface, outcome, requestId: id, after: before },
  });
  return { rows: page.requests, next: page.next && placeText(page.next) };
}

const placeText = ({ at, key }: RequestPlace): string => `${at}.${key}`;

const cellsOf = (columns: readonly string[], rows: readonly Fields[]) =>
  rows.map((row) => columns.map((name) => cellOf(row[name])));

function csvOf(columns: readonly string[], rows: readonly Fields[], next: string | null): Response {
  return csvResponse(FILE, [columns, ...cellsOf(columns, rows)], next === null ? {} : { "x-next": next });
}

const cellOf = (value: unknown) =>
  typeof value === "string" || typeof value === "number" ? value : value == null ? null : String(value);

const flat = ({ user, agent, ...request }: KeptRequest) => ({
  ...request,
  ...{ user: user?.user_id ?? null, user_name: user?.name ?? null },
  ...{ agent: agent?.id ?? null, agent_name: agent?.name ?? null },
});

function requestOf(row: StoredRequest, nameOf: (userId: string) => string | null): KeptRequest {
  return {
    ...fieldsOf(row),
    user: row.userId === null ? null : { user_id: row.userId, name: nameOf(row.userId) },
    agent: agentOf(row),
    on_cached_agent: row.isAffine,
    failed_tries: row.failures.map((failure) => ({ agent: agentOf(failure), ...tryOf(failure) })),
  };
}

/** Callers may not learn of agents. */
function ownRequestOf(row: StoredRequest): OwnRequest {
  return { ...fieldsOf(row), failed_tries: row.failures.map(tryOf) };
}

const agentOf = ({ agent, agentName }: Pick<StoredRequest, "agent" | "agentName">) =>
  agent === null ? null : { id: agent, name: agentName };

const tryOf = ({ sentAfterMs, code, error }: StoredRequest["failures"][number]) => ({
  sent_after_ms: sentAfterMs,
  code,
  error,
});

function fieldsOf(row: StoredRequest) {
  return {
    request_id: row.requestId,
    at: new Date(row.at).toISOString(),
    model: row.model,
    surface: row.surface,
    outcome: row.outcome,
    upstream_status: row.upstreamStatus,
    error: row.error,
    tries: row.tries,
    queue_ms: row.queueMs,
    first_byte_ms: row.firstByteMs,
    duration_ms: row.durationMs,
    prompt_tokens: row.inputTokens,
    completion_tokens: row.outputTokens,
    cached_tokens: row.cachedTokens,
    cache_creation_tokens: row.cacheCreationTokens,
    reasoning_tokens: row.reasoningTokens,
    tokens_estimated: row.tokensEstimated,
    audio_seconds: row.audioMs === null ? null : row.audioMs / 1000,
    images: row.images,
    search_units: row.searchUnits,
    input_bytes: row.inputBytes,
    output_bytes: row.outputBytes,
    cost: row.costNanos === null ? null : unitsOfNanos(row.costNanos),
  };
}
