import { existsSync } from "node:fs";
import { readOrCreateKey } from "../../auth/key-file.ts";
import { adminKey } from "../../config/kinds.ts";
import { adminKeyIn } from "../../data-folder.ts";
import type { Terminal } from "../terminal.ts";

/**
 * Finds the admin key of a server that was given none. On a terminal a key is generated and kept in the data folder, and
 * the banner shows it to the operator. Elsewhere a log would keep it, so only a key counts that is in the folder already.
 */
export function createKeptAdminKey({ errIsTerminal = false }: Pick<Terminal, "errIsTerminal">) {
  let generated: string | undefined;
  return {
    /** Returns the key in the data folder; undefined if there is none. Throws a `CommandError` if it is not valid. */
    read(data: string): string | undefined {
      const path = adminKeyIn(data);
      const isNew = !existsSync(path);
      if (isNew && !errIsTerminal) return undefined;
      const key = readOrCreateKey(path, adminKey.schema);
      if (isNew) generated = key;
      return key;
    },
    /** Returns the key if it was generated just now. */
    generated: () => generated,
  };
}
