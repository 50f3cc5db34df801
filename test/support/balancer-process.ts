import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./own-postgres.ts";
import { findProgram } from "./programs.ts";

const DOCS = join(import.meta.dir, "../../docs/cluster");
const NODE = /172\.30\.0\.1[1-3]:8080/g;

/** A load balancer with the configuration of the documentation. */
export interface BalancerProcess {
  url: string;
  stop(): Promise<void>;
}

interface Kind {
  file: string;
  /** The words of the file that make it listen on port 80. */
  listen: string;
  /** Changes what would touch the rest of the machine. */
  adapt(text: string, folder: string): string;
  args(path: string, folder: string): string[];
  check(path: string, folder: string): string[];
}

const TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

const KINDS: Record<"nginx" | "haproxy", Kind> = {
  nginx: {
    file: "nginx.conf",
    listen: "listen 80;",
    adapt: (text, folder) => {
      const paths = TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
      const user = process.getuid?.() === 0 ? "user root;" : "";
      return `${user}\n${text}`
        .replace("/tmp/nginx.pid", `${folder}/nginx.pid`)
        .replace("http {", `http {\n${paths}`);
    },
    args: (path, folder) => ["-p", folder, "-e", "stderr", "-c", path, "-g", "daemon off;"],
    check: (path, folder) => ["-t", "-p", folder, "-e", "stderr", "-c", path],
  },
  haproxy: {
    file: "haproxy.cfg",
    listen: "bind :80",
    adapt: (text) => text,
    args: (path) => ["-db", "-f", path],
    check: (path) => ["-c", "-f", path],
  },
};

export type BalancerKind = keyof typeof KINDS;

/** Starts it in front of these ports of this machine, of which there must be as many as nodes in the documentation. */
export async function startBalancer(kind: BalancerKind, ports: readonly number[]): Promise<BalancerProcess> {
  const { adapt, args, check } = KINDS[kind];
  const program = findProgram(kind);
  if (program === undefined) throw new Error(`${kind} is not installed`);
  const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-balancer-"));
  const port = await freePort();
  const path = join(folder, "config");
  writeFileSync(path, adapt(configOf(kind, port, ports), folder));
  const checked = Bun.spawnSync([program, ...check(path, folder)]);
  if (checked.exitCode !== 0) throw new Error(checked.stderr.toString() + checked.stdout.toString());
  const child = Bun.spawn([program, ...args(path, folder)], {
    stdio: ["ignore", "ignore", Bun.file(join(folder, "log"))],
  });
  await untilOpen(port, child, join(folder, "log"));
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGINT");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Returns the documented configuration with these ports. Throws if it names another number of nodes. */
function configOf(kind: BalancerKind, port: number, ports: readonly number[]): string {
  const { file, listen } = KINDS[kind];
  const text = readFileSync(join(DOCS, file), "utf8");
  const nodes = text.match(NODE) ?? [];
  if (nodes.length !== ports.length || !text.includes(listen))
    throw new Error(`${file} has ${nodes.length} nodes, or does not listen on port 80`);
  const places = ports.values();
  return text
    .replaceAll(NODE, () => `127.0.0.1:${places.next().value}`)
    .replace(listen, listen.replace(":80", `127.0.0.1:${port}`).replace(" 80", ` 127.0.0.1:${port}`));
}

async function untilOpen(port: number, child: Bun.Subprocess, log: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it did not start: ${readFileSync(log, "utf8")}`);
    try {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
      socket.end();
      return;
    } catch {
      await Bun.sleep(10);
    }
  }
}
