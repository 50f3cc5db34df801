import { z } from "zod";
import { PRINTABLE } from "../../printable.ts";
import { ENDPOINTS, isAnswerStatus } from "../agent-v2.ts";

export const id = z.string().min(1).max(128);
export const text = (lengthMax: number) => z.string().max(lengthMax);
export const shownText = (lengthMax: number) =>
  text(lengthMax).regex(PRINTABLE, "must be without control characters");
export const ms = z.number().min(0);
export const count = z.int().nonnegative();
/** The groups of agents that one frame may count. */
export const FREE_KEYS_MAX = 20_000;
export const record = <Value extends z.ZodType>(key: z.ZodString, value: Value, max: number) =>
  z
    .record(key, value)
    .refine((entries) => Object.keys(entries).length <= max, `must have at most ${max} keys`);
export const list = <Item extends z.ZodType>(item: Item, max: number) => z.array(item).max(max);

/** Ids with the times of their registration, see `Directory`. Checked by hand: a node may join with ten thousands. */
export const registrations = z.custom<[id: string, at: number][]>(
  (value) => Array.isArray(value) && value.length <= 1000 && value.every(isRegistration),
);

function isRegistration(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [agent, at] = value;
  const isId = typeof agent === "string" && agent.length > 0 && agent.length <= 128;
  return isId && Number.isSafeInteger(at) && at >= 0 && at <= 2 ** 52;
}

/** A user's id; null for the administrator. */
export const userId = text(256).nullable();
export const protocol = z.enum(["v1", "v2"]);
export const endpoint = z.enum(ENDPOINTS);
export const tags = list(list(text(256), 256), 64);
export const models = list(text(256), 10_000);

export const status = z.int().refine(isAnswerStatus, "must be the status of an answer");

/** HTTP headers. */
export const headers = record(text(64), text(65_536), 256);

/** An `AppError` between nodes. */
export const error = z.object({
  code: text(64),
  message: text(4096).optional(),
  hint: text(4096).optional(),
  param: text(256).optional(),
  extra: record(text(64), z.unknown(), 64).optional(),
  retry_after_ms: ms.optional(),
  upstream: z
    .object({
      status: status.optional(),
      body: z.string().optional(),
      type: text(256).optional(),
      code: text(256).optional(),
      headers: headers.optional(),
    })
    .optional(),
  /** For the log only. */
  detail: text(4096).optional(),
});
export type NodeError = z.output<typeof error>;

/** Returns the shape of a frame. */
export const frame = <Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) =>
  z.object({ kind: z.literal(kind), ...shape });
