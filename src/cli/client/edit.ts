import { isDeepStrictEqual } from "node:util";
import { CommandError } from "../../errors.ts";
import { FORMATS, type FormatName, NotReadable } from "./formats.ts";
import { merge, WrongShape } from "./merge.ts";

const BOM = "\uFEFF";

/** The text of a configuration file, read. */
export interface Configuration {
  /** Undefined if there is nothing in the file. */
  value: unknown;
  /** Returns the text with what is wanted, with the same line ends; the same text if nothing changes. */
  with(wanted: unknown): string;
}

/** Reads a configuration. Throws a `CommandError` that names the file if it is not in its format. */
export function readConfiguration(text: string, format: FormatName, path: string): Configuration {
  const { read, edit } = FORMATS[format];
  const plain = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const value = orRefuse(path, () => read(plain));
  return {
    value,
    with(wanted) {
      const merged = orRefuse(path, () => merge(value, wanted));
      if (isSame(value, merged)) return text;
      const edited = orRefuse(path, () => {
        const result = edit(plain, value, merged);
        // No mistake of a library may reach the user's file.
        if (!isSame(read(result), merged))
          throw new NotReadable("it has a form that cannot be changed safely");
        return result;
      });
      const ends = /\r\n/.test(text) ? edited.replaceAll("\n", "\r\n") : edited;
      return text.startsWith(BOM) ? BOM + ends : ends;
    },
  };
}

/** Returns what a file has that has nothing else. */
export function freshText(format: FormatName, wanted: unknown): string {
  return readConfiguration("", format, "").with(wanted);
}

/** Compares the values, not the classes that libraries use for dates. */
function isSame(a: unknown, b: unknown): boolean {
  const text = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}n` : value);
  const plain = (value: unknown): unknown =>
    value === undefined ? value : JSON.parse(JSON.stringify(value, text));
  return isDeepStrictEqual(plain(a), plain(b));
}

function orRefuse<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new CommandError(`${path} was not changed: ${reasonOf(error)}. Correct the file and try again.`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof NotReadable) return error.reason;
  if (error instanceof WrongShape)
    return error.at === ""
      ? "it has another structure than expected"
      : `${error.at} has another type than expected`;
  return "it has a form that cannot be changed safely";
}
