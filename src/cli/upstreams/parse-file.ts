import { closeSync, openSync, readSync, statSync } from "node:fs";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { usageError } from "../../errors.ts";
import { fileErrorText } from "../../system-error.ts";

const LENGTH_MAX = 64 * 1024;

/** Returns the text of a file that the operator named. Throws a `CommandError` that says which, and what to do. */
export function readText(path: string, what: string): string {
  let text: string | undefined;
  try {
    text = readBounded(path);
  } catch (error) {
    throw usageError(`${what} ${path} cannot be read. ${fileErrorText(error)}`);
  }
  if (text === undefined) throw usageError(`${what} ${path} is too long. Give at most 64 KB.`);
  return text.replace(/^\ufeff/, "");
}

/** Returns undefined for a file that is longer than it may be. A device has no length, and may have no end. */
function readBounded(path: string): string | undefined {
  const bytes = Buffer.alloc(LENGTH_MAX + 1);
  const file = openSync(path, "r");
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length <= LENGTH_MAX; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null);
    return length > LENGTH_MAX ? undefined : bytes.toString("utf8", 0, length);
  } finally {
    closeSync(file);
  }
}

/** Whether every user of this machine may read the file. Windows has no modes. */
export function isReadByAll(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & 0o004) !== 0;
}

/**
 * Returns the value of a text in TOML, or in JSON if it begins with a brace. JSON may have comments. Throws a
 * `CommandError` that names the line at fault and repeats no value, as that could be a key.
 */
export function parseFile(text: string, path: string): unknown {
  return /^\s*(\{|\/[/*])/.test(text) ? parseJsonText(text, path) : parseTomlText(text, path);
}

function parseJsonText(text: string, path: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first === undefined) return value;
  const line = text.slice(0, first.offset).split("\n").length;
  throw usageError(
    `${path}, line ${line}: This is not JSON (${printParseErrorCode(first.error)}). Correct it.`,
  );
}

function parseTomlText(text: string, path: string): unknown {
  const fault = tomlFault(text);
  if (fault === undefined) return Bun.TOML.parse(text);
  // The parser tells no line. What it refuses begins after the longest part from the start that it accepts.
  const lines = text.split("\n");
  let accepted = lines.length - 1;
  while (accepted > 0 && tomlFault(lines.slice(0, accepted).join("\n")) !== undefined) accepted--;
  throw usageError(`${path}, line ${accepted + 1}: This is not TOML (${fault}). Correct it.`);
}

function tomlFault(text: string): string | undefined {
  try {
    Bun.TOML.parse(text);
    return undefined;
  } catch (error) {
    // What it quotes is from the file, and may be a key whose quotes were forgotten.
    return (error as Error).message.replace(/^TOML Parse error: /, "").replace(/:? *".*"/s, "");
  }
}
