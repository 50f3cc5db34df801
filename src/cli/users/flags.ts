import { parseArgs } from "node:util";
import { nearest } from "../../config/read.ts";
import { CommandError } from "../../errors.ts";
import { AddUserBody } from "../../http/admin/schema.ts";
import { DAY_MS } from "../../time.ts";
import { attributesOf, type UserAttributes } from "../../user-attributes.ts";
import { FIELD_FLAGS, type FieldFlag, USER_FIELD_FLAGS, type UserFlag } from "../user-flags.ts";

/** Takes away what was said: the same as never to have said it. */
const NONE = "none";

export interface UserArguments {
  positionals: string[];
  /** What was said of the user; null where it is to be taken away. */
  attributes: Partial<UserAttributes>;
  graceMs: number;
  json: boolean;
  data: string | undefined;
}

/** Reads what follows the subcommand. Throws a `CommandError` with exit code 2 for a flag that is not in `known`. */
export function readUserArguments(
  args: readonly string[],
  known: readonly UserFlag[],
  now: number,
): UserArguments {
  const { values, positionals } = parse(args, known);
  return {
    positionals,
    attributes: readAttributes(values, now),
    graceMs: values.grace === undefined ? 0 : readTime("grace", values.grace),
    json: values.json ?? false,
    data: values.data,
  };
}

type Values = { [Flag in Exclude<UserFlag, "json">]?: string } & { json?: boolean };

function parse(
  args: readonly string[],
  known: readonly UserFlag[],
): { values: Values; positionals: string[] } {
  const types = known.map((flag) => [flag, { type: flag === "json" ? "boolean" : "string" }] as const);
  try {
    return parseArgs({
      args: [...args],
      options: Object.fromEntries(types),
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const [flag = "a flag"] = /--?[a-z][\w-]*/i.exec(message) ?? [];
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
      const meant = nearest(
        flag,
        known.map((name) => `--${name}`),
      );
      throw fault(`unknown flag ${flag}: ${meant ? `did you mean ${meant}?` : "leave it out"}`);
    }
    throw fault(`${flag} ${flag === "--json" ? "takes no value" : "has no value: add one"}`);
  }
}

function readAttributes(values: Values, now: number): Partial<UserAttributes> {
  const given = USER_FIELD_FLAGS.filter((flag) => values[flag] !== undefined);
  const fields = given.map((flag) => [FIELD_FLAGS[flag].field, readValue(flag, values[flag] ?? "", now)]);
  const { data, error } = AddUserBody.safeParse(Object.fromEntries(fields));
  if (data) return attributesOf(data);
  const [issue] = error.issues;
  const flag = given.find((name) => FIELD_FLAGS[name].field === issue?.path[0]);
  throw fault(`--${flag}: ${issue?.message}`);
}

function readValue(flag: FieldFlag, text: string, now: number): unknown {
  if (text === NONE) return null;
  if (flag === "name") return text;
  if (flag === "models") return text.split(",").map((name) => name.trim());
  if (flag === "expires") return readMoment(text, now);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw fault(`--${flag}: give a whole number, or ${NONE}`);
}

/** A time, a day, which is its beginning in UTC, or how long from now. */
function readMoment(text: string, now: number): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text}T00:00:00Z`;
  if (/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text)) return text;
  if (/^\d+[smhd]$/.test(text)) return new Date(now + readTime("expires", text)).toISOString();
  throw fault(`--expires: give a time such as 2026-12-31, 2026-12-31T18:00:00Z or 30d, or ${NONE}`);
}

const UNITS_MS: Record<string, number> = { "": 1000, s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS };
const TIME_MAX_MS = 36_500 * DAY_MS;

function readTime(flag: string, text: string): number {
  const [, digits, unit = ""] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  const ms = Number(digits) * (UNITS_MS[unit] ?? Number.NaN);
  if (ms <= TIME_MAX_MS) return ms;
  throw fault(`--${flag}: give a time such as 90s, 15m, 12h or 30d`);
}

function fault(message: string): CommandError {
  return new CommandError(message, { exitCode: 2 });
}
