import { nearest } from "./nearest.ts";
import { addFault, type Reading } from "./reading.ts";
import { flagOf, SETTING_NAMES, SETTINGS, type SettingName } from "./settings.ts";

const FLAGS = new Map<string, SettingName>();
for (const name of SETTING_NAMES) {
  const flag = flagOf(name);
  if (flag) FLAGS.set(flag, name);
}
const FLAG_NAMES = [...FLAGS.keys()];
// The reference server's name for --host.
FLAGS.set("--listen", "host").set("-listen", "host");

/**
 * Takes the flags of `names` out of the arguments and gives what remains, in order. `--` ends the flags;
 * a number with a minus is none.
 */
export function readFlags(
  args: readonly string[],
  names: readonly SettingName[],
  reading: Reading,
): string[] {
  const positionals: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") return [...positionals, ...rest];
    if (/^-\D/.test(arg)) readFlag(arg, rest, names, reading);
    else positionals.push(arg);
  }
  return positionals;
}

/** Takes the value off `rest` unless it is in `arg`, also for a flag that is only misspelt. */
function readFlag(arg: string, rest: string[], names: readonly SettingName[], reading: Reading): void {
  const [flag = "", inline] = arg.split(/=(.*)/s, 2);
  const name = FLAGS.get(flag);
  const meant = name ? flag : nearest(flag, FLAG_NAMES);
  const bare = name && SETTINGS[name].bare;
  const text = inline ?? bare ?? (meant && isValue(rest[0]) ? rest.shift() : undefined);
  if (!name || !names.includes(name)) reading.faults.push(unknownFlag(flag, name ? undefined : meant));
  else if (reading.given.has(name) && !SETTINGS[name].many)
    addFault(reading, name, `${flag} is given twice: give it once`);
  else if (text === undefined) addFault(reading, name, `${flag} has no value: add one`);
  else {
    const before = reading.given.get(name);
    reading.given.set(name, { text: before ? `${before.text},${text}` : text, from: flag });
  }
}

function isValue(next: string | undefined): boolean {
  return next !== undefined && !next.startsWith("--") && !/^-listen(=|$)/.test(next);
}

/** Repeats nothing that could be a key which happens to begin with a dash. */
function unknownFlag(flag: string, meant: string | undefined): string {
  if (/^(--[a-z]+([-_][a-z]+)*|-[a-z])$/i.test(flag) || meant)
    return `unknown flag ${flag}: ${meant ? `did you mean ${meant}?` : "leave it out"}`;
  return 'an argument begins with "-" and is no flag: put -- before a key that begins so';
}
