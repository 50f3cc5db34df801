import { z } from "zod";
import { ERRORS, type ErrorCode } from "../../errors.ts";
import { nameFilter, timeOrDate } from "../usage/query-fields.ts";
import { amount, count, currency, namedObject, text, time } from "../values.ts";

export const LIMIT_MAX = 1_000;
const CSV_LIMIT_MAX = 100_000;
export const LIMIT_HINT = `give a number from 1 to ${LIMIT_MAX}, or up to ${CSV_LIMIT_MAX} as CSV`;

const OUTCOMES = ["ok", "failed", ...(Object.keys(ERRORS) as ErrorCode[])];
const PLACE = /^(\d{1,16})\.([\w-]{1,36})$/;

/** Returns the place that the `next` of a page names. */
export function placeIn(text: string): { at: number; key: string } {
  const [, at = "", key = ""] = PLACE.exec(text) ?? [];
  return { at: Number(at), key };
}

/** The query for the caller's own requests. */
export const OwnRequestQuery = z.object({
  from: timeOrDate.describe("A date, or a time in RFC 3339. Default: as far back as requests are kept."),
  to: timeOrDate.describe(
    "The same. A date includes its whole day, in UTC; a time is excluded. Default: now.",
  ),
  model: nameFilter.describe("Only requests for this model."),
  surface: nameFilter.describe("Only requests to this endpoint, such as `chat/completions`."),
  outcome: text
    .refine((outcome) => OUTCOMES.includes(outcome), "give ok, failed, or an error code")
    .optional()
    .describe("`ok`, `failed` for every error, or an error code."),
  id: nameFilter.describe("Only the request with this id. With `from` and `to` it is found faster."),
  before: text
    .regex(PLACE, "give the `next` of a page")
    .transform(placeIn)
    .optional()
    .describe("The `next` of the page before."),
  limit: text
    .regex(/^\d{1,6}$/, LIMIT_HINT)
    .default("50")
    .transform(Number)
    .refine((count) => count >= 1 && count <= CSV_LIMIT_MAX, LIMIT_HINT)
    .describe(
      `The maximum number of requests, up to ${LIMIT_MAX}; as CSV up to ${CSV_LIMIT_MAX}. A CSV of more than ${LIMIT_MAX} is sent while it is read, and has no \`x-next\`.`,
    ),
  format: z.enum(["json", "csv"], "give json or csv").default("json").describe("CSV is for spreadsheets."),
});

export const RequestQuery = OwnRequestQuery.extend({
  user: nameFilter.describe("Only this user. `admin` is the holder of the admin key."),
  agent: nameFilter.describe("Only requests that the agent with this id had last."),
});

const duration = z.number().nonnegative();

/** A try that failed, without its agent. */
const FAILED_TRY = {
  /** From the arrival of the request until it was sent to the agent. */
  sent_after_ms: duration,
  /** The error code. */
  code: text,
  error: text,
};

const Agent = z.strictObject({ id: text, name: text.nullable() });

/** A request, without its content, which is not kept. */
const OWN_REQUEST = {
  request_id: text,
  /** When it arrived. */
  at: time,
  model: text.nullable(),
  surface: text,
  /** `ok`, or an error code. */
  outcome: text,
  /** The HTTP status of the upstream, if it returned one. */
  upstream_status: z.int().nullable(),
  /** Why it failed, or was refused by the upstream. */
  error: text.nullable(),
  /** How often it was sent to an agent. */
  tries: count,
  queue_ms: duration,
  first_byte_ms: duration.nullable(),
  duration_ms: duration,
  prompt_tokens: count.nullable(),
  completion_tokens: count.nullable(),
  cached_tokens: count.nullable(),
  cache_creation_tokens: count.nullable(),
  reasoning_tokens: count.nullable(),
  tokens_estimated: z.boolean(),
  /** The audio that was transcribed or translated, if the upstream told it. */
  audio_seconds: z.number().nonnegative().nullable(),
  /** The images that were made. */
  images: count.nullable(),
  /** The units that a ranking is billed in. */
  search_units: count.nullable(),
  /** The bytes of a request for audio or images, and of its answer as far as it came. */
  input_bytes: count.nullable(),
  output_bytes: count.nullable(),
  /** In units of the currency; null if the model had no price. */
  cost: amount.nullable(),
};

export const OwnRequest = namedObject("OwnRequest", {
  ...OWN_REQUEST,
  /** The first tries that failed, in order. */
  failed_tries: z.array(z.strictObject(FAILED_TRY)),
});
export type OwnRequest = z.output<typeof OwnRequest>;

export const KeptRequest = namedObject("Request", {
  ...OWN_REQUEST,
  /** Null for the holder of the admin key. */
  user: z.strictObject({ user_id: text, name: text.nullable() }).nullable(),
  /** The agent that had it last. */
  agent: Agent.nullable(),
  /** Whether that agent was the one that has a part of the request cached; null if none is known that has. */
  on_cached_agent: z.boolean().nullable(),
  failed_tries: z.array(z.strictObject({ agent: Agent.nullable(), ...FAILED_TRY })),
});
export type KeptRequest = z.output<typeof KeptRequest>;

/** The `before` of the next page, which is older; null if there are no more requests. */
const next = text.nullable();

export const OwnRequestPage = namedObject("OwnRequestPage", {
  requests: z.array(OwnRequest),
  currency,
  next,
});
export const RequestPage = namedObject("RequestPage", { requests: z.array(KeptRequest), currency, next });
