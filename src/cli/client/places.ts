import { posix, win32 } from "node:path";
import type { Environment } from "../../config/read.ts";

/** The parts of a machine that decide where a program looks for its configuration. */
export interface Machine {
  platform: NodeJS.Platform;
  /** The home folder of the user. */
  home: string;
  env: Environment;
}

/** Returns the paths where a client may have its configuration. The last one is made if none exists. */
export type Places = (machine: Machine) => readonly string[];

export const PLACES = {
  codex: (machine) => [
    inFolder(machine, machine.env["CODEX_HOME"] || inHome(machine, ".codex"), "config.toml"),
  ],
  claude: (machine) => [
    inFolder(machine, machine.env["CLAUDE_CONFIG_DIR"] || inHome(machine, ".claude"), "settings.json"),
  ],
  opencode: (machine) => {
    const { OPENCODE_CONFIG: given } = machine.env;
    if (given) return [given];
    const folder = inFolder(machine, xdgFolder(machine), "opencode");
    return ["opencode.jsonc", "opencode.json"].map((name) => inFolder(machine, folder, name));
  },
  continue: (machine) => {
    const folder = machine.env["CONTINUE_GLOBAL_DIR"] || inHome(machine, ".continue");
    return [inFolder(machine, folder, "config.yaml")];
  },
  aider: (machine) => [inHome(machine, ".aider.conf.yml")],
  zed: (machine) =>
    machine.platform === "win32"
      ? [inFolder(machine, appData(machine), "Zed", "settings.json")]
      : [
          inFolder(
            machine,
            machine.platform === "darwin" ? inHome(machine, ".config") : xdgFolder(machine),
            "zed",
            "settings.json",
          ),
        ],
  vscode: (machine) => {
    const folders: Partial<Record<NodeJS.Platform, string>> = {
      win32: machine.platform === "win32" ? appData(machine) : "",
      darwin: inHome(machine, "Library", "Application Support"),
    };
    const folder = folders[machine.platform] ?? xdgFolder(machine);
    return [inFolder(machine, folder, "Code", "User", "chatLanguageModels.json")];
  },
} as const satisfies Record<string, Places>;

function inFolder({ platform }: Machine, ...parts: string[]): string {
  return (platform === "win32" ? win32 : posix).join(...parts);
}

function inHome(machine: Machine, ...parts: string[]): string {
  return inFolder(machine, machine.home, ...parts);
}

function xdgFolder(machine: Machine): string {
  return machine.env["XDG_CONFIG_HOME"] || inHome(machine, ".config");
}

function appData(machine: Machine): string {
  return machine.env["APPDATA"] || inHome(machine, "AppData", "Roaming");
}
