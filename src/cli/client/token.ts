import { readFileSync } from "node:fs";
import type { Environment } from "../../config/read.ts";
import { CommandError, usageError } from "../../errors.ts";
import { fileErrorText } from "../../system-error.ts";
import { GET_TOKEN } from "./server.ts";

const VARIABLE = "CHATGPT_API_TOKEN";
const WAYS = `Give it in ${VARIABLE}, or in a file with --token-file.`;

interface TokenSource {
  /** The flags. */
  token: string | undefined;
  tokenFile: string | undefined;
  env: Environment;
  /** Asks the user, if there is a terminal. */
  ask: (() => Promise<string | undefined>) | undefined;
}

/**
 * Returns the token of the flags, of the environment, or that the user enters. Throws a `CommandError` that says
 * how to give one, and never repeats it.
 */
export async function readToken({ token, tokenFile, env, ask }: TokenSource): Promise<string> {
  if (token !== undefined && tokenFile !== undefined)
    throw usageError("--token and --token-file are both there. Leave one out.");
  const file = tokenFile ?? (token === undefined && !env[VARIABLE] ? env[`${VARIABLE}_FILE`] : undefined);
  const given = file ? readTokenFile(file) : (token ?? env[VARIABLE]);
  const text = (given || (await ask?.()))?.trim();
  if (!text) throw new CommandError(`There is no token. ${WAYS} ${GET_TOKEN}`, { exitCode: 2 });
  if (!/^[\x21-\x7e]{1,1000}$/.test(text))
    throw usageError(`The token has characters that no token has. ${WAYS}`);
  return text;
}

/** The error leaves out the path: some people give the token itself. */
function readTokenFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw usageError(
      `The file with the token cannot be read. ${fileErrorText(error, "Check its path and its mode.")}`,
    );
  }
}
