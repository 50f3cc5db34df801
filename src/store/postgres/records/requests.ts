import { getTableColumns } from "drizzle-orm";
import { userIdOf } from "../../../principal.ts";
import {
  failuresIn,
  isBounded,
  isOfFailed,
  type RequestPage,
  type RequestQuery,
  type StoredRequest,
  scannedMaxOf,
} from "../../records.ts";
import { nearFirst } from "../../request-time.ts";
import type { Pool, Run } from "../pool.ts";
import { plain, selected } from "../rows.ts";
import { usage } from "../schema.ts";

const LAST_KEY = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const FIRST_KEY = "00000000-0000-0000-0000-000000000000";

const { id: _, ...COLUMNS } = getTableColumns(usage);

/** The rows of a period up to a place. The index of the failed ones is used where its condition is. */
const rowsOf = (condition: string) => `FROM usage
  WHERE at >= $1::float8::bigint AND at <= $2::float8::bigint AND (at < $2::float8::bigint OR id < $3::uuid) AND ${condition}`;

/** The filters on its columns are checked within the index of the failed ones, before a row is fetched. */
const FILTERS = `($5::int = 0 OR user_id IS NOT DISTINCT FROM $6::text) AND ($7::text IS NULL OR agent = $7)
  AND ($8::text IS NULL OR model = $8) AND ($9::text IS NULL OR surface = $9)
  AND ($10::text IS NULL OR outcome = $10) AND ($11::text IS NULL OR request_id = $11)`;

const listOf = (
  condition: string,
) => `SELECT id AS key, ${selected(COLUMNS)} ${rowsOf(condition)} AND ${FILTERS}
  ORDER BY usage.at DESC, usage.id DESC LIMIT $4::int`;

/** Finds the time of the last row that may be looked through, in an index alone. */
const boundOf = (condition: string) => `SELECT at::float8 AS at FROM usage
  WHERE at >= $1::float8::bigint AND at <= $2::float8::bigint AND ${condition}
  ORDER BY usage.at DESC LIMIT 1 OFFSET $3::int - 1`;

const ALL = { list: listOf("TRUE"), bound: boundOf("TRUE") };
const FAILED = { list: listOf("outcome <> 'ok'"), bound: boundOf("outcome <> 'ok'") };

type Row = Omit<StoredRequest, "failures"> & { failures: string | null };

/**
 * Lists the kept requests, newest first. The statements are planned for their values each time: a plan for any period
 * would read and sort all of it.
 */
export function listRequests(pool: Pool, query: RequestQuery): Promise<RequestPage> {
  return pool.transact(async (run) => {
    await run("SET LOCAL plan_cache_mode = force_custom_plan");
    return nearFirst(query, (near) => readPage(run, near));
  });
}

async function readPage(run: Run, query: RequestQuery): Promise<RequestPage> {
  const { list, bound } = isOfFailed(query) ? FAILED : ALL;
  const { limit, from } = query;
  const [to, key] = placeOf(query);
  const [end] = isBounded(query) ? await run<{ at: number }>(bound, [from, to, scannedMaxOf(query)]) : [];
  const rows = await run<Row>(list, [end?.at ?? from, to, key, limit, ...filtersOf(query)]);
  const requests = rows.map(
    (row): StoredRequest => ({
      ...row,
      failures: failuresIn(row.failures),
      tokensEstimated: row.tokensEstimated === true,
    }),
  );
  const last = requests.at(-1);
  if (last && requests.length === limit) return { requests, next: { at: last.at, key: last.key } };
  // All rows of the last millisecond were looked through.
  return { requests, next: end ? { at: end.at, key: FIRST_KEY } : null };
}

function placeOf({ to, after }: RequestQuery): [at: number, key: string] {
  if (!after || after.at >= to) return [to - 1, LAST_KEY];
  return [after.at, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(after.key) ? after.key : FIRST_KEY];
}

function filtersOf({ principal, agent, model, surface, outcome, requestId }: RequestQuery) {
  const code = outcome === "failed" ? undefined : outcome;
  const user = principal && userIdOf(principal);
  return [
    Number(principal !== undefined),
    ...[user, agent, model, surface, code, requestId].map((value) => (value == null ? null : plain(value))),
  ];
}
