import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { tempFolder } from "./store.ts";

/** The programs that the scripts of the packages call, beside the shell and `systemctl`. */
const PROGRAMS = ["sh", ..."cat chown getent mkdir mktemp mv od rm rmdir tr useradd userdel".split(" ")];

/** The root folder of a small system, without services, for the scripts of a package. */
export interface SmallRoot {
  path: string;
  /** Returns the calls of `systemctl` since the last time. */
  systemctlCalls(): string[];
  /** Returns the text of a file; undefined if there is none. */
  read(path: string): string | undefined;
  /** Returns the mode and the owner, such as `600 root` or `700 chatgpt-api-server`. */
  ownership(path: string): string;
  /** Returns the line of a user in /etc/passwd. */
  user(name: string): string | undefined;
}

/**
 * Makes a root folder with a shell and the programs that packages need, copied from this machine with their libraries. Its
 * `systemctl` only notes how it was called. Removed after the test. Needs root, Linux and glibc.
 */
export function makeSmallRoot(): SmallRoot {
  const path = tempFolder();
  const at = (file: string) => join(path, file);
  const write = (file: string, text: string | Uint8Array, mode = 0o644) => {
    mkdirSync(dirname(at(file)), { recursive: true });
    writeFileSync(at(file), text);
    chmodSync(at(file), mode);
  };
  for (const name of PROGRAMS) copyProgram(path, name);
  write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
  write("/etc/group", "root:x:0:\n");
  write("/etc/login.defs", "SYS_UID_MIN 100\nSYS_UID_MAX 999\nSYS_GID_MIN 100\nSYS_GID_MAX 999\n");
  write("/etc/nsswitch.conf", "passwd: files\ngroup: files\n");
  write("/dev/null", "", 0o666);
  // A device needs a privilege that containers lack.
  write("/dev/urandom", crypto.getRandomValues(new Uint8Array(1024)));
  write("/usr/bin/systemctl", '#!/bin/sh\necho "$@" >>/systemctl.log\n', 0o755);
  for (const folder of ["/run/systemd/system", "/tmp", "/var/lib", "/root"])
    mkdirSync(at(folder), { recursive: true });
  chmodSync(path, 0o755);
  const read = (file: string) => (existsSync(at(file)) ? readFileSync(at(file), "utf8") : undefined);
  const user = (name: string) => read("/etc/passwd")?.match(new RegExp(`^${name}:.*$`, "m"))?.[0];
  return {
    path,
    read,
    user,
    systemctlCalls() {
      const calls = (read("/systemctl.log") ?? "").split("\n").filter(Boolean);
      writeFileSync(at("/systemctl.log"), "");
      return calls;
    },
    ownership(file) {
      const { mode, uid } = statSync(at(file));
      const owner = read("/etc/passwd")?.match(new RegExp(`^([^:]+):[^:]*:${uid}:`, "m"))?.[1];
      return `${(mode & 0o7777).toString(8)} ${owner ?? uid}`;
    },
  };
}

function copyProgram(root: string, name: string): void {
  const program = Bun.which(name, { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" });
  if (program === null) throw new Error(`${name} is missing`);
  const { stdout } = Bun.spawnSync(["ldd", program]);
  const libraries = stdout.toString().match(/\/[^ \n)]+/g) ?? [];
  for (const file of [program, ...libraries]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(file, join(root, file));
  }
  // Scripts name /bin/sh, also where it is in /usr/bin.
  if (name !== "sh") return;
  mkdirSync(join(root, "bin"), { recursive: true });
  copyFileSync(program, join(root, "bin/sh"));
}
