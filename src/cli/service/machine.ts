import { tmpdir, userInfo } from "node:os";
import type { Environment } from "../../config/read.ts";
import { CommandError } from "../../errors.ts";
import { launchd } from "./launchd.ts";
import { scheduledTask } from "./scheduled-task.ts";
import type { Machine, ServiceManager } from "./service.ts";
import { systemd } from "./systemd.ts";

/** Describes this machine and the user of this process. */
export function thisMachine(env: Environment): Machine {
  const { platform } = process;
  const { uid, username, homedir } = userInfo();
  const isAdmin = platform === "win32" ? isElevated() : uid === 0;
  const user = platform === "win32" ? `${env["USERDOMAIN"] ?? "."}\\${username}` : username;
  return {
    ...{ platform, uid, isAdmin, env },
    user: (isAdmin && platform !== "win32" && env["SUDO_USER"]) || user,
    home: env["HOME"] || homedir,
  };
}

/** Returns the folders that the system empties. */
export function temporaryFolders(): string[] {
  return [
    `${tmpdir()}${process.platform === "win32" ? "\\" : "/"}`,
    "/tmp/",
    "/var/tmp/",
    "/dev/shm/",
    "/private/tmp/",
  ];
}

/** Returns the way that the machine runs services. Throws a `CommandError` if there is none. */
export function managerOf({ platform, isAdmin, user }: Machine): ServiceManager {
  if (platform === "linux") return systemd;
  if (platform === "win32") return scheduledTask;
  if (platform !== "darwin")
    throw new CommandError(`Services can be installed on Linux, macOS and Windows, and not on ${platform}.`);
  if (isAdmin && user === "root")
    throw new CommandError(
      "A service does not run as root. Call this with sudo as the user that it is to run as.",
    );
  return launchd;
}

/** Only an elevated process may ask for this. */
function isElevated(): boolean {
  return Bun.spawnSync(["net", "session"], { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0;
}
