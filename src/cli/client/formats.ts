import {
  applyEdits,
  modify,
  type ParseError,
  type ParseOptions,
  parse as parseJsonc,
  printParseErrorCode,
  stripComments,
} from "jsonc-parser";
import { Document, parseDocument } from "yaml";
import { type Change, changesBetween, isFields } from "./merge.ts";
import { changeToml } from "./toml.ts";

/** A format of configuration files. Its functions read and write line feeds only. */
export interface Format {
  /** Begins a comment. */
  comment: string;
  /** Returns the value of a text, undefined for an empty one. Throws `NotReadable`. */
  read(text: string): unknown;
  /** Returns the text with the changes between two values. Comments and order stay. */
  edit(text: string, before: unknown, after: unknown): string;
}

/** The text is not in its format. `reason` repeats nothing of the text, which may have secrets. */
export class NotReadable extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

const toml: Format = {
  comment: "#",
  read: (text) => {
    if (text.trim() === "") return undefined;
    try {
      return Bun.TOML.parse(text);
    } catch {
      throw new NotReadable("it is not valid TOML");
    }
  },
  edit: (text, before, after) => {
    let edited = text;
    const changes = changesBetween(before ?? {}, after).flatMap(scalarChanges);
    const [ofRoot = [], others = []] = [true, false].map((isOfRoot) =>
      changes.filter(({ path }) => (path.length === 1) === isOfRoot),
    );
    // Each new key of the root comes before all others.
    for (const change of [...ofRoot.reverse(), ...others]) {
      const changed = changeToml(edited, change);
      if (changed === undefined) throw new NotReadable(`${change.path.join(".")} cannot be changed safely`);
      edited = changed;
    }
    return edited;
  },
};

/** Splits the change to an object that is new into those to its keys. */
function scalarChanges(change: Change): Change[] {
  const { path, value } = change;
  if (!isFields(value)) return [change];
  return changesBetween({}, value).flatMap((inner) =>
    scalarChanges({ ...inner, path: [...path, ...inner.path] }),
  );
}

/** Throws `NotReadable` with the first error. */
function readJson(text: string, options: ParseOptions): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parseJsonc(text, errors, options);
  const [error] = errors;
  if (!error) return value;
  const line = text.slice(0, error.offset).split("\n").length;
  throw new NotReadable(`line ${line} is not JSON (${printParseErrorCode(error.error)})`);
}

/** JSON with comments and trailing commas. */
const jsonc: Format = {
  comment: "//",
  read: (text) =>
    stripComments(text).trim() === "" ? undefined : readJson(text, { allowTrailingComma: true }),
  edit: (text, before, after) => {
    if (before === undefined)
      return `${text.trim() === "" ? "" : `${text.trimEnd()}\n`}${JSON.stringify(after, undefined, 2)}\n`;
    const indent = /^(?:\t| +)(?=["[{])/m.exec(text)?.[0] ?? "  ";
    const formattingOptions = { insertSpaces: indent !== "\t", tabSize: indent.length, eol: "\n" };
    let edited = text;
    for (const { path, value, isItem } of changesBetween(before, after))
      edited = applyEdits(
        edited,
        modify(edited, path, value, { formattingOptions, isArrayInsertion: isItem }),
      );
    return edited;
  },
};

/** JSON as its standard has it. */
const json: Format = {
  ...jsonc,
  read: (text) => (text.trim() === "" ? undefined : readJson(text, { disallowComments: true })),
};

const yaml: Format = {
  comment: "#",
  read: (text) => {
    const document = parseDocument(text);
    const [error] = document.errors;
    if (error) throw new NotReadable(`line ${error.linePos?.[0].line ?? 1} is not YAML (${error.code})`);
    const value: unknown = document.toJS();
    return value ?? undefined;
  },
  edit: (text, before, after) => {
    const document = before === undefined && text.trim() === "" ? new Document({}) : parseDocument(text);
    if (before === undefined) document.contents = document.createNode({}) as typeof document.contents;
    for (const { path, value } of changesBetween(before ?? {}, after)) {
      if (value === undefined) document.deleteIn(path);
      else document.setIn(path, document.createNode(value));
    }
    return document.toString({ lineWidth: 0, indentSeq: !/^[^\s#-][^\n]*:[ \t]*\n- /m.test(text) });
  },
};

/** Environment variables, as `docker run --env-file` and Compose read them. They are printed only. */
const env: Format = {
  comment: "#",
  read: (text) => {
    const pairs = text
      .trim()
      .split("\n")
      .map((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1));
    return text.trim() === "" ? undefined : Object.fromEntries(pairs.map((pair) => pair ?? []));
  },
  edit: (_text, _before, after) =>
    Object.entries(isFields(after) ? after : {})
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
};

export const FORMATS = { toml, json, jsonc, yaml, env };

export type FormatName = keyof typeof FORMATS;
