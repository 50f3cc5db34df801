import { userIdOf } from "../../../principal.ts";
import {
  failuresIn,
  isOfFailed,
  type RequestPage,
  type RequestPlace,
  type RequestQuery,
  type StoredRequest,
  scannedMaxOf,
} from "../../records.ts";
import { nearFirst } from "../../request-time.ts";
import type { Connection } from "../database.ts";

/** The rows looked through at a time, so that a long search blocks no asks. */
const SLICE_ROWS = 2_000;
/** The same in the search for an id, which compares one column, and follows no index. */
const ID_SLICE_ROWS = 5_000;

const COLUMNS = `at, request_id AS requestId, user_id AS userId, agent, agent_name AS agentName, model, surface,
  outcome, status AS upstreamStatus, error, failures, is_affine AS isAffine, tries, queue_ms AS queueMs,
  first_byte_ms AS firstByteMs, duration_ms AS durationMs, prompt_tokens AS inputTokens,
  completion_tokens AS outputTokens, cached_tokens AS cachedTokens, cache_creation_tokens AS cacheCreationTokens,
  reasoning_tokens AS reasoningTokens, tokens_estimated AS tokensEstimated, audio_ms AS audioMs, images,
  search_units AS searchUnits, input_bytes AS inputBytes, output_bytes AS outputBytes, cost_nanos AS costNanos`;

const FILTERS = `(?5 = 0 OR user_id IS ?6) AND (?7 IS NULL OR agent = ?7) AND (?8 IS NULL OR model = ?8)
  AND (?9 IS NULL OR surface = ?9) AND (?10 IS NULL OR outcome = ?10) AND (?11 IS NULL OR request_id = ?11)`;

type Row = Omit<StoredRequest, "key" | "failures" | "isAffine" | "tokensEstimated"> & {
  seq: number;
  failures: string | null;
  isAffine: number | null;
  tokensEstimated: number | null;
};

/** Returns a function that lists the kept requests, newest first. It looks through the rows in slices. */
export function createRequestList({ raw }: Connection): (query: RequestQuery) => Promise<RequestPage> {
  // The index of the failed requests is used where its condition is.
  const statementsFor = (condition: string) => ({
    /** Finds the time of the last row of a slice. */
    sliceStart: raw.prepare<{ at: number }, [number, number]>(
      `SELECT at FROM usage WHERE at <= ?1 AND at >= ?2 AND ${condition}
        ORDER BY at DESC LIMIT 1 OFFSET ${SLICE_ROWS - 1}`,
    ),
    /** Lists the rows from a time to a place. */
    slice: raw.prepare<Row, (string | number | null)[]>(
      `SELECT seq, ${COLUMNS} FROM usage
        WHERE at <= ?1 AND (at < ?1 OR seq < ?2) AND at >= ?3 AND ${condition} AND ${FILTERS}
        ORDER BY at DESC, seq DESC LIMIT ?4`,
    ),
  });
  const [ofAll, ofFailed] = [statementsFor("TRUE"), statementsFor("outcome <> 'ok'")];

  const find = createIdSearch(raw);

  async function list(query: RequestQuery): Promise<RequestPage> {
    const { sliceStart, slice } = isOfFailed(query) ? ofFailed : ofAll;
    const filters = filtersOf(query);
    const requests: StoredRequest[] = [];
    let [at, seq] = placeOf(query);
    for (let scanned = 0; scanned < scannedMaxOf(query); scanned += SLICE_ROWS) {
      if (scanned > 0) await new Promise(setImmediate);
      const start = sliceStart.get(at, query.from)?.at ?? query.from;
      const wanted = query.limit - requests.length;
      const rows = slice.all(at, seq, start, wanted, ...filters);
      requests.push(...rows.map(requestOf));
      if (rows.length === wanted) return { requests, next: nextAfter(requests) };
      if (start <= query.from) return { requests, next: null };
      // Older rows have an earlier time, whatever their number.
      [at, seq] = [start - 1, Number.MAX_SAFE_INTEGER];
    }
    return { requests, next: { at: at + 1, key: "0" } };
  }

  return (query) => (query.requestId === undefined ? list(query) : nearFirst(query, find));
}

/** Returns a function that looks for an id: in the rows of a short period, or in all rows, in the order in which they were written. */
function createIdSearch(raw: Connection["raw"]) {
  const IN_PERIOD = `at <= ?1 AND (at < ?1 OR seq < ?2) AND at >= ?3`;
  const lastSeq = raw.prepare<{ seq: number | null }, []>("SELECT max(seq) AS seq FROM usage");
  const slice = raw.prepare<Row, (string | number | null)[]>(
    `SELECT seq, ${COLUMNS} FROM usage WHERE seq > ?4 AND seq <= ?12 AND +request_id = ?11 AND ${IN_PERIOD} AND ${FILTERS}`,
  );
  return async (query: RequestQuery): Promise<RequestPage> => {
    const [at, seq] = placeOf(query);
    const filters = filtersOf(query);
    const rows: Row[] = [];
    for (let last = lastSeq.get()?.seq ?? 0; last > 0; last -= ID_SLICE_ROWS) {
      rows.push(...slice.all(at, seq, query.from, last - ID_SLICE_ROWS, ...filters, last));
      await new Promise(setImmediate);
    }
    rows.sort((a, b) => b.at - a.at || b.seq - a.seq);
    const requests = rows.slice(0, query.limit).map(requestOf);
    return { requests, next: rows.length > query.limit ? nextAfter(requests) : null };
  };
}

function placeOf({ to, after }: RequestQuery): [at: number, seq: number] {
  if (!after || after.at >= to) return [to - 1, Number.MAX_SAFE_INTEGER];
  const seq = Number(after.key);
  return [after.at, Number.isSafeInteger(seq) ? seq : 0];
}

function filtersOf({ principal, agent, model, surface, outcome, requestId }: RequestQuery) {
  const code = outcome === "failed" ? undefined : outcome;
  const user = principal && userIdOf(principal);
  return [
    Number(principal !== undefined),
    ...[user, agent, model, surface, code, requestId].map((value) => value ?? null),
  ];
}

const nextAfter = (requests: readonly StoredRequest[]): RequestPlace | null => {
  const last = requests.at(-1);
  return last ? { at: last.at, key: last.key } : null;
};

function requestOf({ seq, failures, isAffine, tokensEstimated, ...row }: Row): StoredRequest {
  return {
    ...row,
    key: String(seq),
    failures: failuresIn(failures),
    isAffine: isAffine === null ? null : isAffine === 1,
    tokensEstimated: tokensEstimated === 1,
  };
}
