import { z } from "zod";
import { PRINTABLE } from "../../printable.ts";
import { ENDPOINTS, isAnswerStatus } from "../agent-v2.ts";
import {
  AGENT_IDS_MAX,
  ID_LENGTH_MAX,
  KEY_LENGTH_MAX,
  NAME_LENGTH_MAX,
  TAG_LISTS_MAX,
  TAGS_MAX,
  TEXT_LENGTH_MAX,
  USER_MODELS_MAX,
} from "./bounds.ts";

export const id = z.string().min(1).max(ID_LENGTH_MAX);
export const text = (lengthMax: number) => z.string().max(lengthMax);
export const shownText = (lengthMax: number) =>
  text(lengthMax).regex(PRINTABLE, "must be without control characters");
export const ms = z.number().min(0);
export const count = z.int().nonnegative();
export const record = <Value extends z.ZodType>(key: z.ZodString, value: Value, max: number) =>
  z
    .record(key, value)
    .refine((entries) => Object.keys(entries).length <= max, `must have at most ${max} keys`);
export const list = <Item extends z.ZodType>(item: Item, max: number) => z.array(item).max(max);

/** Ids with the times of their registration, see `Directory`. Checked by hand: a node may join with ten thousands. */
export const registrations = z.custom<[id: string, at: number][]>(
  (value) => Array.isArray(value) && value.length <= AGENT_IDS_MAX && value.every(isRegistration),
);

function isRegistration(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [agent, at] = value;
  const isId = typeof agent === "string" && agent.length > 0 && agent.length <= ID_LENGTH_MAX;
  return isId && Number.isSafeInteger(at) && at >= 0 && at <= 2 ** 52;
}

/** A user's id; null for the administrator. */
export const userId = text(NAME_LENGTH_MAX).nullable();
export const protocol = z.enum(["v1", "v2"]);
export const endpoint = z.enum(ENDPOINTS);
export const tags = list(list(text(NAME_LENGTH_MAX), TAGS_MAX), TAG_LISTS_MAX);
export const models = list(text(NAME_LENGTH_MAX), USER_MODELS_MAX);

export const status = z.int().refine(isAnswerStatus, "must be the status of an answer");

/** HTTP headers. */
export const headers = record(text(64), text(65_536), 256);

/** An `AppError` between nodes. */
export const error = z.object({
  code: text(KEY_LENGTH_MAX),
  message: text(TEXT_LENGTH_MAX).optional(),
  hint: text(TEXT_LENGTH_MAX).optional(),
  param: text(NAME_LENGTH_MAX).optional(),
  extra: record(text(64), z.unknown(), 64).optional(),
  retry_after_ms: ms.optional(),
  upstream: z
    .object({
      status: status.optional(),
      body: z.string().optional(),
      type: text(NAME_LENGTH_MAX).optional(),
      code: text(NAME_LENGTH_MAX).optional(),
      headers: headers.optional(),
    })
    .optional(),
  /** For the log only. */
  detail: text(TEXT_LENGTH_MAX).optional(),
});
export type NodeError = z.output<typeof error>;

/** Returns the shape of a frame. */
export const frame = <Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) =>
  z.object({ kind: z.literal(kind), ...shape });
