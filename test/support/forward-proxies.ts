import { onTestFinished } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { tempFolder } from "./store.ts";
import { until } from "./until.ts";

/** An address of this machine that is not loopback, as those are never reached through a proxy. */
export const OWN_ADDRESS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

interface ForwardProxyOptions {
  /** The user and the password that it wants. */
  auth?: { user: string; password: string };
  /** Refuses CONNECT except to port 443. */
  onlyPort443?: boolean;
}

export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** Starts tinyproxy until the test ends. Resolves with its `host:port`. */
export async function startTinyproxy(path: string, options: ForwardProxyOptions = {}): Promise<string> {
  const { auth, onlyPort443 } = options;
  const folder = tempFolder();
  const port = freePort();
  const lines = [
    `Port ${port}`,
    "Listen 127.0.0.1",
    "Timeout 600",
    "MaxClients 100",
    ...(auth ? [`BasicAuth ${auth.user} ${auth.password}`] : []),
    ...(onlyPort443 ? ["ConnectPort 443"] : []),
  ];
  writeFileSync(join(folder, "conf"), `${lines.join("\n")}\n`);
  await run([path, "-d", "-c", join(folder, "conf")], folder, port);
  return `127.0.0.1:${port}`;
}

/** Starts squid as Debian configures it, where CONNECT is allowed to port 443 only. Resolves with its `host:port`. */
export async function startSquid(path: string): Promise<string> {
  const folder = tempFolder();
  const port = freePort();
  const lines = [
    `http_port 127.0.0.1:${port}`,
    "acl SSL_ports port 443",
    "acl CONNECT method CONNECT",
    "http_access deny CONNECT !SSL_ports",
    "http_access allow all",
    "cache deny all",
    "access_log none",
    "cache_log /dev/null",
    `pid_filename ${join(folder, "pid")}`,
    `coredump_dir ${folder}`,
    "netdb_filename none",
    "pinger_enable off",
    "shutdown_lifetime 0 seconds",
  ];
  writeFileSync(join(folder, "conf"), `${lines.join("\n")}\n`);
  // Its shared memory has the name of the service.
  await run([path, "-N", "-n", `test${port}`, "-f", join(folder, "conf")], folder, port);
  return `127.0.0.1:${port}`;
}

/** Starts nginx, which does not pass upgrades on, before a server on this machine. Resolves with its port. */
export async function startPlainNginx(path: string, target: number, more = ""): Promise<number> {
  const folder = tempFolder();
  const port = freePort();
  const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${name};`,
  );
  const main = `pid nginx.pid;\ndaemon off;\n${process.getuid?.() === 0 ? "user root;\n" : ""}events {}\n`;
  const site = `server { listen 127.0.0.1:${port}; ${more} location / { proxy_pass http://127.0.0.1:${target}; } }`;
  writeFileSync(
    join(folder, "nginx.conf"),
    `${main}http {\n${own.join("\n")}\naccess_log off;\nerror_log stderr;\n${site}\n}\n`,
  );
  await run([path, "-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")], folder, port);
  return port;
}

async function run(command: string[], folder: string, port: number): Promise<void> {
  const child = Bun.spawn(command, {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder },
    stdout: "ignore",
    stderr: Bun.file(join(folder, "log")),
  });
  onTestFinished(async () => {
    child.kill();
    await Promise.race([child.exited, Bun.sleep(3_000)]);
    child.kill("SIGKILL");
    await child.exited;
  });
  await until(() => {
    if (child.exitCode !== null) throw new Error(readFileSync(join(folder, "log"), "utf8"));
    return isOpen(port);
  });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
