import { z } from "zod";

/** What administrators are told of the server itself. */
export const SettingsAnswer = z
  .strictObject({
    version: z.string(),
    started_at: z.iso.datetime({ offset: true }),
    /** By the names that `config --json` has, in its order. */
    settings: z.record(
      z.string(),
      z.strictObject({
        /** As an operator would write it; `***` for a secret, and a word in brackets for what is not set. */
        value: z.string(),
        /** The flag or variable that it comes from, or `default`. */
        from: z.string(),
        /** The flag; a plain name for what has none. */
        label: z.string(),
        about: z.string(),
      }),
    ),
  })
  .meta({ id: "Settings" });
export type SettingsAnswer = z.output<typeof SettingsAnswer>;
