import { z } from "zod";
import { DAY_MS } from "../../durations.ts";

/** A user who needs more time asks the administrator. */
const GRACE_S_MAX = (7 * DAY_MS) / 1000;

export const RotateOwnTokenBody = z.strictObject({
  grace_seconds: z
    .number()
    .min(0)
    .max(GRACE_S_MAX)
    .nullish()
    .describe(
      "How long the old token stays valid beside the new one, at most a week. Missing or 0: not at all.",
    ),
});
