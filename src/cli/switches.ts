import { CommandError } from "../errors.ts";

/*
 * Commands have flags that are no settings of the server. They are taken out of the arguments first; what is
 * `rest` is for `readSettings`. Behind `--` there are none.
 */

/** Switches such as `--json`. */
export function takeSwitches<Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): { given: Record<Name, boolean>; rest: string[] } {
  const { head, tail } = split(args);
  const isSwitch = (arg: string) => (names as readonly string[]).includes(arg);
  const given = Object.fromEntries(names.map((name) => [name, head.includes(name)])) as Record<Name, boolean>;
  return { given, rest: [...head.filter((arg) => !isSwitch(arg)), ...tail] };
}

/** The names after a flag such as `--models a,b`, which may be repeated; undefined where it is not there. */
export function takeNames(
  args: readonly string[],
  flag: string,
): { names: string[] | undefined; rest: string[] } {
  const { head, tail } = split(args);
  const texts: string[] = [];
  const others: string[] = [];
  for (let at = 0; at < head.length; at++) {
    const arg = head[at] ?? "";
    const value = arg === flag ? head[++at] : arg.startsWith(`${flag}=`) ? arg.slice(flag.length + 1) : arg;
    if (value === undefined) throw new CommandError(`${flag} needs a value`, { exitCode: 2 });
    if (value === arg) others.push(arg);
    else texts.push(value);
  }
  const names = texts.flatMap((text) => text.split(",").map((name) => name.trim()));
  return { names: texts.length > 0 ? names : undefined, rest: [...others, ...tail] };
}

function split(args: readonly string[]): { head: readonly string[]; tail: readonly string[] } {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return { head: args.slice(0, end), tail: args.slice(end) };
}
