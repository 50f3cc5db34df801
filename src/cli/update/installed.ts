import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { managerOf } from "../service/machine.ts";
import { type Machine, type ServiceKind, WRITTEN_BY } from "../service/service.ts";
import { serviceName } from "../service/service-name.ts";

/** A service of this machine that `serve install` or `agent install` wrote. */
export interface InstalledService {
  kind: ServiceKind;
  name: string;
  /** Returns the value of a variable of the service. */
  variable(name: string): string | undefined;
}

const KINDS: readonly ServiceKind[] = ["serve", "agent"];

/** Finds the services of this machine, or of this user, that run the executable. */
export function servicesOf(executable: string, machine: Machine): InstalledService[] {
  return KINDS.flatMap((kind) => namesOf(kind, machine).flatMap((name) => readService(kind, name))).filter(
    (service) => service !== undefined,
  );

  function readService(kind: ServiceKind, name: string): InstalledService[] {
    const text = readDescription(name, machine);
    const { executable: found, variable } = text === undefined ? NONE : READERS[formatOf(machine)](text);
    if (found === undefined || real(found) !== real(executable)) return [];
    return [{ kind, name, variable }];
  }
}

/** Returns the names of all services of a kind. They begin with that of the only one. */
function namesOf(kind: ServiceKind, machine: Machine): string[] {
  const first = serviceName(kind, undefined);
  const { description } = managerOf(machine).places(first, machine);
  const isFolder = machine.platform === "win32";
  const folder = isFolder ? dirname(dirname(description)) : dirname(description);
  const end = isFolder ? "" : description.slice(description.lastIndexOf("."));
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((entry) => entry.endsWith(end));
  return names
    .map((entry) => entry.slice(0, entry.length - end.length))
    .filter((name) => name === first || (name.startsWith(`${first}-`) && /^[a-z0-9-]+$/.test(name)));
}

/** Returns the text that names the executable and the variables of a service. */
function readDescription(name: string, machine: Machine): string | undefined {
  const { description } = managerOf(machine).places(name, machine);
  const path = machine.platform === "win32" ? join(dirname(description), "run.cmd") : description;
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8");
  return text.includes(WRITTEN_BY) ? text : undefined;
}

interface Description {
  executable: string | undefined;
  variable(name: string): string | undefined;
}

const NONE: Description = { executable: undefined, variable: () => undefined };

type Format = "unit" | "plist" | "batch";

const formatOf = ({ platform }: Machine): Format =>
  platform === "win32" ? "batch" : platform === "darwin" ? "plist" : "unit";

/** Reads what `systemd.ts`, `launchd.ts` and `scheduled-task.ts` write. */
const READERS: Record<Format, (text: string) => Description> = {
  unit: (text) => ({
    executable: unitWord(/^ExecStart=("(?:[^"\\]|\\.)*"|\S+)/m.exec(text)?.[1]),
    variable(name) {
      const word = unitWord(
        new RegExp(`^Environment=("${name}=(?:[^"\\\\]|\\\\.)*"|${name}=\\S*)$`, "m").exec(text)?.[1],
      );
      return word?.slice(name.length + 1);
    },
  }),
  plist: (text) => ({
    executable: xmlWord(/<key>ProgramArguments<\/key>\s*<array>\s*<string>([^<]*)</.exec(text)?.[1]),
    variable: (name) => xmlWord(new RegExp(`<key>${name}</key>\\s*<string>([^<]*)<`).exec(text)?.[1]),
  }),
  batch: (text) => ({
    executable: batchWord(/^"([^"]+)" "(?:serve|agent)"/m.exec(text)?.[1]),
    variable: (name) => batchWord(new RegExp(`^set "${name}=([^"\\r\\n]*)"`, "im").exec(text)?.[1]),
  }),
};

function unitWord(word: string | undefined): string | undefined {
  const plain = word?.startsWith('"') ? word.slice(1, -1).replaceAll(/\\(.)/g, "$1") : word;
  return plain?.replaceAll("%%", "%");
}

const xmlWord = (word: string | undefined) =>
  word?.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&");

const batchWord = (word: string | undefined) => word?.replaceAll("%%", "%");

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
