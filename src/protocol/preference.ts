import { z } from "zod";

/** A tag of an agent. It is harmless in headers, in lists with commas, and in command lines. */
export const agentTag = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    "must have 1 to 64 lower-case letters, digits, dots, hyphens or underscores",
  );

/** How many tags an agent, a key or a user may have. */
export const AGENT_TAGS_MAX = 32;

/** At least one tag: no tags at all are written as null, or left out. */
export const agentTags = z.array(agentTag).min(1).max(AGENT_TAGS_MAX);

/** An agent with a higher priority is used first as long as it has room. */
export const agentPriority = z.int().min(-1_000).max(1_000);

/** The share of an agent among those of equal priority. */
export const agentWeight = z.number().positive().max(1_000);
