import { statSync } from "node:fs";
import { CommandError } from "../../errors.ts";
import { shellQuote } from "../../shell-quote.ts";
import { isInHome } from "./home-folders.ts";
import type { Machine } from "./service.ts";

const INSTALLED = "/usr/local/bin/chatgpt-api-server";

interface Options {
  /** The command that runs this program, as `ownCommand` returns it. */
  command: readonly string[];
  /** Folders that the system empties. */
  temporary: readonly string[];
}

/** Returns the path of this program for a service. Throws a `CommandError` if a service could not run it there. */
export function serviceExecutable(
  { platform, isAdmin }: Pick<Machine, "platform" | "isAdmin">,
  { command: [path = "", script], temporary }: Options,
): string {
  if (script !== undefined)
    throw new CommandError(
      "A service needs the executable, and this is a checkout. Build it with `npx -y bun@1.4.5 run build`, move dist/chatgpt-api-server to a folder that stays, and call install with it.",
    );
  if (temporary.some((folder) => path.startsWith(folder)))
    throw new CommandError(
      `${path} is in a temporary folder, which the system empties. ${moveIt(path, platform)}`,
    );
  if (/[\\/]_npx[\\/]/.test(path))
    throw new CommandError(
      `${path} is in the cache of npx, which npm may empty. Install the package, and call that: npm install --global chatgpt-api-server`,
    );
  if (isAdmin && platform !== "darwin" && isInHome(path))
    throw new CommandError(
      `${path} is in a home folder, which a service of the system cannot reach. ${moveIt(path, platform)}`,
    );
  if (
    isAdmin &&
    platform === "linux" &&
    ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0o005) & 0o005) !== 0o005
  )
    throw new CommandError(
      `The service does not run as root, and only the owner may run ${path}. Allow it: chmod 755 ${shellQuote(path)}`,
    );
  return path;
}

function moveIt(path: string, platform: string): string {
  return platform === "win32"
    ? "Move it, such as to C:\\Program Files\\chatgpt-api-server, and call install there."
    : `Install it, and call that: install -m 755 ${shellQuote(path)} ${INSTALLED}`;
}
