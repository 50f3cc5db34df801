import { z } from "zod";

const MODELS_MAX = 1000;

/** Shown in lists, logs and terminals, so nothing in it may play with them. */
const shown = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, "must be without control characters");

/** `POST /admin/agents/keys`. */
export const AddAgentKeyBody = z.object({
  name: shown(64),
  /** What its agents may offer; missing or null for everything. */
  models: z.array(shown(256)).min(1).max(MODELS_MAX).nullish(),
});

/** `POST /admin/agents/{id}/disconnect`. */
export const DisconnectBody = z.object({
  /** Its running asks are finished first. */
  drain: z.boolean().nullish(),
});

/** The query of `GET /admin/audit`. */
export const AuditQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  /** A `seq`: only rows before it. */
  before: z.coerce.number().int().min(1).optional(),
  format: z.enum(["json", "csv"]).default("json"),
});
