import { getTableColumns } from "drizzle-orm";
import { userIdOf } from "../../../principal.ts";
import {
  failuresIn,
  isOfFailed,
  type RequestPage,
  type RequestQuery,
  type StoredRequest,
  scannedMaxOf,
} from "../../records.ts";
import type { Pool, Run } from "../pool.ts";
import { selected } from "../rows.ts";
import { usage } from "../schema.ts";

const LAST_KEY = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const FIRST_KEY = "00000000-0000-0000-0000-000000000000";

const { id: _, ...COLUMNS } = getTableColumns(usage);

/** The rows of a query that may be looked through, newest first. The index of the failed ones is used where its condition is. */
const rowsOf = (condition: string, columns: string) => `SELECT ${columns} FROM usage
  WHERE at >= $1::float8::bigint AND at <= $2::float8::bigint AND (at < $2::float8::bigint OR id < $3::uuid) AND ${condition}
  ORDER BY usage.at DESC, usage.id DESC`;

const listOf = (condition: string) => `SELECT id AS key, ${selected(COLUMNS)}
  FROM (${rowsOf(condition, "*")} LIMIT $4::int) AS looked
  WHERE ($6::int = 0 OR user_id IS NOT DISTINCT FROM $7::text) AND ($8::text IS NULL OR agent = $8)
  AND ($9::text IS NULL OR model = $9) AND ($10::text IS NULL OR surface = $10)
  AND ($11::text IS NULL OR outcome = $11) AND ($12::text IS NULL OR request_id = $12)
  ORDER BY looked.at DESC, looked.id DESC LIMIT $5::int`;

/** Finds the last row that may be looked through, if there are more. */
const endOf = (condition: string) =>
  `${rowsOf(condition, 'at::float8 AS at, id AS "key"')} LIMIT 1 OFFSET $4::int - 1`;

const ALL = { list: listOf("TRUE"), end: endOf("TRUE") };
const FAILED = { list: listOf("outcome <> 'ok'"), end: endOf("outcome <> 'ok'") };

type Row = Omit<StoredRequest, "failures"> & { failures: string | null };

/**
 * Lists the kept requests, newest first. The statements are planned for their values each time: a plan for any period
 * would read and sort all of it.
 */
export function listRequests(pool: Pool, query: RequestQuery): Promise<RequestPage> {
  return pool.transact(async (run) => {
    await run("SET LOCAL plan_cache_mode = force_custom_plan");
    return readPage(run, query);
  });
}

async function readPage(run: Run, query: RequestQuery): Promise<RequestPage> {
  const { list, end } = isOfFailed(query) ? FAILED : ALL;
  const { limit, from } = query;
  const looked = [from, ...placeOf(query), scannedMaxOf(query)];
  const rows = await run<Row>(list, [...looked, limit, ...filtersOf(query)]);
  const requests = rows.map(
    (row): StoredRequest => ({
      ...row,
      failures: failuresIn(row.failures),
      tokensEstimated: row.tokensEstimated === true,
    }),
  );
  const last = requests.at(-1);
  if (last && requests.length === limit) return { requests, next: { at: last.at, key: last.key } };
  const [next] = await run<{ at: number; key: string }>(end, looked);
  return { requests, next: next ?? null };
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
    ...[user, agent, model, surface, code, requestId].map((value) => value ?? null),
  ];
}
