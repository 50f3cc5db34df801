import { parseArgs } from "node:util";
import {
  type Environment,
  type Given,
  GivenSettings,
  isGiven,
  readConfig,
  readSettings,
} from "../config/read.ts";
import { type Config, flagOf, SETTING_NAMES, SETTINGS, type SettingName } from "../config/settings.ts";
import { ADMIN_KEY_NAME } from "../data-folder.ts";
import { nearest } from "../nearest.ts";

/** A flag of a command that is not a setting. */
export interface Flag {
  /** Stands for the value in help texts. A flag without it is a switch. */
  value?: string;
  help: string;
  /** Whether the flag may be repeated. The texts are joined with commas. */
  many?: true;
  /** Whether help texts leave it out. */
  hidden?: true;
}

/** Flags by their names without dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** The flags on the command line: whether a switch is there, and the text of any other flag. */
export type FlagValues<Given extends Flags> = {
  [Name in keyof Given]: Given[Name] extends { value: string } ? string | undefined : boolean;
};

interface Source {
  /** The arguments after the command's name. */
  args: readonly string[];
  env: Environment;
  /** Collects the texts of the settings that the arguments and the environment give. */
  given?: GivenSettings;
}

interface CommandArgs<Name extends SettingName, Own extends Flags> {
  settings: readonly Name[];
  flags?: Own;
  /** The texts of settings that this command has other defaults for. */
  defaults?: Partial<Record<SettingName, string>>;
  /** Returns the texts of settings in a configuration file. They come after the environment. */
  inFile?: (flags: FlagValues<Own>) => Iterable<readonly [SettingName, Given]>;
}

/**
 * Reads the arguments of a command that takes flags of its own, the flags of some settings, and positional
 * arguments. Throws a `CommandError` with exit code 2 and one line for each fault. No line repeats a secret.
 */
export function readArgs<Name extends SettingName, Own extends Flags = Record<never, Flag>>(
  { args, env, given }: Source,
  { settings, flags, defaults = {}, inFile = () => [] }: CommandArgs<Name, Own>,
): { settings: Pick<Config, Name>; flags: FlagValues<Own>; positionals: string[] } {
  const line = new CommandLine(args, settings, flags ?? {}, given);
  // A fault of the command line is reported before the file is read.
  if (line.given.faults.length === 0)
    for (const [name, found] of inFile(line.flags as FlagValues<Own>))
      if (!isGiven(line.given, env, name)) line.given.texts.set(name, found);
  for (const name of settings) {
    const text = defaults[name];
    if (text !== undefined && !isGiven(line.given, env, name))
      line.given.texts.set(name, { text, from: "default" });
  }
  return {
    settings: readSettings(line.given, env, settings),
    flags: line.flags as FlagValues<Own>,
    positionals: line.positionals,
  };
}

interface ServerArgs<Own extends Flags> {
  flags?: Own;
  /** Returns the admin key that the data folder keeps, if there is one. Called if none is given. */
  keptAdminKey?: (data: string) => string | undefined;
}

/** Reads the arguments of a command that takes all settings and `<port> <admin-key>`. Throws like `readArgs`. */
export function readServerArgs<Own extends Flags = Record<never, Flag>>(
  { args, env, given: collected }: Source,
  { flags, keptAdminKey }: ServerArgs<Own> = {},
) {
  const line = new CommandLine(args, SETTING_NAMES, flags ?? {}, collected);
  const { given } = line;
  const [port, adminKey, ...more] = line.positionals;
  if (port !== undefined && given.texts.has("port"))
    given.addFault("port", "The port is given twice. Leave out --port or the first argument.");
  else if (port !== undefined) given.texts.set("port", { text: port, from: "first argument" });
  if (adminKey !== undefined) given.texts.set("adminKey", { text: adminKey, from: "second argument" });
  if (more.length > 0)
    given.faults.push(
      "There are more than two arguments. Give <port> <admin-key>, with quotes around a key that has blanks.",
    );
  if (keptAdminKey && given.faults.length === 0 && !isGiven(given, env, "adminKey")) {
    const { data, database } = readSettings(given, env, ["data", "database"]);
    // With a database nothing is kept on this machine.
    const text = database === undefined ? keptAdminKey(data) : undefined;
    if (text !== undefined) given.texts.set("adminKey", { text, from: ADMIN_KEY_NAME });
  }
  return { ...readConfig(given, env), flags: line.flags as FlagValues<Own> };
}

/** Whether one of the flags is among the arguments before `--`. */
export function hasFlag(args: readonly string[], ...flags: string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? undefined : end).some((arg) => flags.includes(arg));
}

const LISTEN = /^-listen(?==|$)/;

/**
 * `--listen` is the reference server's name for `--host`, which it also takes with one dash. `--from` is short where only
 * updates can be meant.
 */
const SETTING_OF_FLAG = new Map<string | undefined, SettingName>([
  ...SETTING_NAMES.map((name) => [flagOf(name), name] as const),
  ["--listen", "host"],
  ["--from", "updateFrom"],
]);

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];

interface KnownFlag {
  /** A switch is `boolean`. */
  type: "boolean" | "string";
  /** Handles the flag with its text, if there is one. */
  take(flag: string, text: string | undefined): void;
}

/** The arguments of a command, split into settings, the command's own flags, and positional arguments. */
class CommandLine {
  readonly given: GivenSettings;
  readonly flags: Record<string, string | boolean | undefined> = {};
  readonly positionals: string[] = [];
  readonly #known = new Map<string, KnownFlag>();

  constructor(
    args: readonly string[],
    settings: readonly SettingName[],
    own: Flags,
    given = new GivenSettings(),
  ) {
    this.given = given;
    for (const [flag, name] of SETTING_OF_FLAG)
      if (flag && settings.includes(name)) this.#addSetting(flag, name);
    for (const [name, flag] of Object.entries(own)) this.#addOwn(name, flag);
    this.#read(args, this.#parse(args));
  }

  #addSetting(flag: string, name: SettingName): void {
    const { bare, many } = SETTINGS[name];
    const { texts } = this.given;
    const take = (from: string, value = bare) => {
      const before = texts.get(name);
      if (before && !many) this.given.addFault(name, `${from} is given twice. Give it once.`);
      else if (value === undefined) this.given.addFault(name, `${from} has no value. Add one.`);
      else texts.set(name, { text: before ? before.text + many + value : value, from });
    };
    this.#known.set(flag, { type: bare === undefined ? "string" : "boolean", take });
  }

  #addOwn(name: string, { value, many }: Flag): void {
    const isSwitch = value === undefined;
    const { faults } = this.given;
    this.flags[name] = isSwitch ? false : undefined;
    const take = (flag: string, text: string | undefined) => {
      const before = this.flags[name];
      if (before && !many) faults.push(`${flag} is given twice. Give it once.`);
      else if (isSwitch && text !== undefined) faults.push(`${flag} takes no value. Leave it out.`);
      else if (!isSwitch && text === undefined) faults.push(`${flag} has no value. Add one.`);
      else this.flags[name] = isSwitch || (before === undefined ? text : `${before},${text}`);
    };
    this.#known.set(`--${name}`, { type: isSwitch ? "boolean" : "string", take });
  }

  #parse(args: readonly string[]): readonly Token[] {
    const options = [...this.#known].map(([flag, { type }]) => [flag.slice(2), { type }] as const);
    return parseArgs({
      args: args.map((arg) => arg.replace(LISTEN, "--listen")),
      options: Object.fromEntries(options),
      strict: false,
      allowPositionals: true,
      tokens: true,
    }).tokens;
  }

  #read(args: readonly string[], tokens: readonly Token[]): void {
    let skipTo = 0;
    for (const token of tokens) {
      const { index, kind } = token;
      const arg = args[index] ?? "";
      if (index < skipTo || kind === "option-terminator") continue;
      // A word after a single dash becomes one token for each letter, and a negative number is not a flag.
      if (kind === "option") skipTo = index + 1;
      if (kind === "positional" || /^-\d/.test(arg)) this.positionals.push(arg);
      else if (!this.#takeFlag(token, arg) && isValue(args[index + 1])) skipTo++;
    }
  }

  /** Returns false for a misspelled flag whose value is to be skipped, so that only the flag is reported. */
  #takeFlag(token: Extract<Token, { kind: "option" }>, arg: string): boolean {
    const [flag = ""] = arg.split("=", 1);
    const known = token.rawName.length > 2 ? this.#known.get(token.rawName) : undefined;
    // parseArgs takes what follows for the value, even if it is the next flag.
    const isNextFlag = token.inlineValue === false && !isValue(token.value);
    known?.take(flag, isNextFlag ? undefined : token.value);
    if (known) return true;
    const meant = nearest(flag, [...this.#known.keys()]);
    this.given.faults.push(unknownFlag(flag, meant));
    return meant === undefined || this.#known.get(meant)?.type === "boolean" || arg.includes("=");
  }
}

function isValue(text: string | undefined): boolean {
  return text !== undefined && !text.startsWith("--") && !LISTEN.test(text);
}

/** Does not repeat what could be a key that happens to begin with a dash. */
function unknownFlag(flag: string, meant: string | undefined): string {
  if (meant || /^(--[a-z]+([-_][a-z]+)*|-[a-z])$/i.test(flag))
    return `Unknown flag ${flag}. ${meant ? `Did you mean ${meant}?` : "Leave it out."}`;
  return 'An argument that begins with "-" is an unknown flag, or a key. Put -- before a key that begins with a dash.';
}
