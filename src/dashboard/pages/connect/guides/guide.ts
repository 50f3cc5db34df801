import { powershellQuote, shellQuote } from "../../../../shell-quote.ts";
import type { TextKey } from "../../../texts/texts.ts";

/** The values that the lines of a client are filled in with. */
export interface Target {
  /** The server's origin, without a slash at its end. */
  url: string;
  model: string;
  token: string;
}

/** Stands for a token in the lines until somebody fills theirs in, as in the documentation. */
export const TOKEN_PLACE = "<token>";

export type System = "linux" | "macos" | "windows";

/** A file, a program or some commands to copy. */
export interface CodeStep {
  /** The language, as the documentation names it behind a fence. */
  language: "bash" | "powershell" | "js" | "python" | "yaml" | "json" | "toml";
  code: (target: Target) => string;
  /** The file that it belongs into. */
  file?: string | Record<System, string>;
  /** The systems that it is for. Default: all. */
  systems?: readonly System[];
  /** Shown above it. */
  about?: TextKey;
  /** The environment variable from which it reads the token. */
  variable?: string;
}

/** Values to enter in a client's own settings. */
export interface FieldStep {
  about: TextKey;
  fields: readonly { label: TextKey; value: (target: Target) => string }[];
}

export type GuideStep = CodeStep | FieldStep;

export interface Guide {
  id: string;
  /** The name, as the documentation has it in bold. */
  title: string;
  kind: "code" | "coding" | "chat";
  steps: readonly GuideStep[];
  /** The name by which the command `client` knows it. */
  command?: string;
  notes?: readonly TextKey[];
  /** The page of the documentation that has the same lines. */
  page?: "docs/ollama-api.md";
}

export const SHELL_SYSTEMS = ["linux", "macos"] as const satisfies readonly System[];

/** Returns a literal that is valid in JSON, JavaScript, Python and TOML. */
export const quoted = (text: string): string => JSON.stringify(text);

/** Returns a shell word. What stands for a token is one only once it is filled in. */
export const shellWord = (text: string): string => (text === TOKEN_PLACE ? text : shellQuote(text));

/** Returns a scalar of YAML, in quotes if it could be taken for anything but a text. */
export function yamlText(text: string): string {
  if (text === TOKEN_PLACE) return text;
  const isPlain = /^[a-z][\w./-]*(?: [\w./-]+)*(?::[\w./-]+)*$/i.test(text);
  return isPlain && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text) ? text : quoted(text);
}

/** Returns the commands that set the variable of a guide. */
export function variableStep(name: string, system: System): CodeStep {
  return system === "windows"
    ? { language: "powershell", code: ({ token }) => `$env:${name} = ${powershellQuote(token)}\n` }
    : {
        language: "bash",
        code: ({ token }) => `export ${name}=${token === TOKEN_PLACE ? `'${token}'` : shellWord(token)}\n`,
      };
}

/** Returns where a file is on a system. */
export function fileOn(file: NonNullable<CodeStep["file"]>, system: System): string {
  return typeof file === "string" ? file : file[system];
}

/** Returns the places of a file that has the same path below everybody's home folder. */
export function inHome(path: string): Record<System, string> {
  const windows = `%USERPROFILE%\\${path.replaceAll("/", "\\")}`;
  return { linux: `~/${path}`, macos: `~/${path}`, windows };
}
