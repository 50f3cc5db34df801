import { existsSync, realpathSync } from "node:fs";
import { CommandError } from "../errors.ts";
import { PROGRAM_NAME } from "./executable-name.ts";

interface Installed {
  /** The command that runs this program, as `ownCommand` returns it. */
  command: readonly string[];
  /** Whether a file exists. For the lists of package managers. */
  exists?: (path: string) => boolean;
}

/**
 * Returns the path of this executable, without symbolic links. Throws a `CommandError` with the right command if
 * something else than this program installs and updates it.
 */
export function ownExecutable({ command: [path = "", script], exists = existsSync }: Installed): string {
  if (script !== undefined)
    throw refused(
      script.includes("/node_modules/")
        ? "npm installed this program."
        : "This is a checkout, and not an executable.",
      script.includes("/node_modules/") ? npm() : "git pull, then start it again",
    );
  const executable = existsSync(path) ? realpathSync(path) : path;
  for (const { paths, by, update } of MANAGERS)
    if (paths.test(executable)) throw refused(`${by} installed ${executable}.`, update(exists));
  return executable;
}

interface Manager {
  paths: RegExp;
  by: string;
  /** Returns the command that updates the program. */
  update(exists: (path: string) => boolean): string;
}

const MANAGERS: readonly Manager[] = [
  { paths: /[\\/]node_modules[\\/]/, by: "npm", update: npm },
  { paths: /\/Cellar\/|\/linuxbrew\//, by: "Homebrew", update: () => `brew upgrade ${PROGRAM_NAME}` },
  {
    paths: /^\/nix\/store\//,
    by: "Nix",
    update: () => "nix profile upgrade, or a newer input of your system",
  },
  { paths: /^\/snap\//, by: "Snap", update: () => `snap refresh ${PROGRAM_NAME}` },
  { paths: /[\\/]scoop[\\/]apps[\\/]/i, by: "Scoop", update: () => `scoop update ${PROGRAM_NAME}` },
  { paths: /[\\/]WinGet[\\/]/i, by: "WinGet", update: () => `winget upgrade --name ${PROGRAM_NAME}` },
  { paths: /^(\/usr)?\/s?bin\//, by: "The system's package manager", update: systemUpdate },
  {
    paths: new RegExp(`^/${PROGRAM_NAME}$`),
    by: "A container image",
    update: () => "docker compose pull && docker compose up --detach, or what starts your container",
  },
];

function npm(): string {
  return `npm install --global ${PROGRAM_NAME}@latest`;
}

function systemUpdate(exists: (path: string) => boolean): string {
  if (exists(`/var/lib/dpkg/info/${PROGRAM_NAME}.list`) || exists("/usr/bin/apt-get"))
    return "sudo apt-get install ./<the .deb of the new release>";
  if (exists("/usr/bin/dnf")) return "sudo dnf install <the .rpm of the new release>";
  if (exists("/usr/bin/zypper")) return "sudo zypper install <the .rpm of the new release>";
  if (exists("/sbin/apk")) return `sudo apk upgrade ${PROGRAM_NAME}`;
  if (exists("/usr/bin/pacman")) return "sudo pacman -Syu";
  return "the update command of your package manager";
}

function refused(why: string, update: string): CommandError {
  return new CommandError(`${why} Update it with: ${update}`);
}
