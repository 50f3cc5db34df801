import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./processes/program.ts";
import type { Context } from "./scenario.ts";
import type { Target } from "./workshop.ts";

/** Another program that passes chat completions on. */
export interface Peer {
  name: string;
  version: string;
  /** The header lines that it needs for an upstream, each with its line break. */
  headersFor(upstream: Target): string;
  /** Whether it writes answers in other bytes than the upstream does. */
  isRewriting: boolean;
  start(upstream: Target): Promise<Target>;
}

/** Returns the peers that can be started here, and writes a line about each that cannot. */
export async function findPeers(context: Context, say: (line: string) => void): Promise<Peer[]> {
  const found: Peer[] = [];
  for (const find of [findNginx, findPortkey]) {
    const peer = await find(context);
    if (typeof peer === "string") say(peer);
    else {
      found.push(peer);
      context.peers.set(peer.name, peer.version);
    }
  }
  return found;
}

async function output(command: readonly string[], cwd?: string): Promise<string | undefined> {
  try {
    const child = Bun.spawn([...command], {
      stdout: "pipe",
      stderr: "pipe",
      ...(cwd === undefined ? {} : { cwd }),
    });
    const texts = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return (await child.exited) === 0 ? texts.join("") : undefined;
  } catch {
    return undefined;
  }
}

/** One process, as the server has one thread; it logs each request, as the server does. */
function nginxSettings(port: number, upstream: number): string {
  return `daemon off; master_process off; pid nginx.pid; error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log access.log;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  keepalive_requests 1000000000;
  upstream model { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`;
}

async function findNginx({ workshop }: Context): Promise<Peer | string> {
  const version = (await output(["nginx", "-v"]))?.match(/nginx\/(\S+)/)?.[1];
  if (version === undefined)
    return "nginx is not installed: it is not measured (apt-get install nginx-light).";
  return {
    name: "nginx",
    version,
    headersFor: () => "",
    isRewriting: false,
    start(upstream) {
      const port = freePort();
      const folder = join(workshop.folder, `nginx-${port}`);
      mkdirSync(folder);
      const file = join(folder, "nginx.conf");
      writeFileSync(file, nginxSettings(port, upstream.port));
      return workshop.start({ command: ["nginx", "-e", "stderr", "-p", folder, "-c", file], port });
    },
  };
}

const PORTKEY = "@portkey-ai/gateway";
const PORTKEY_VERSION = "1.15.2";

/** Portkey is installed once, from the package registry, into a folder beside the bench's own. */
async function findPortkey({ workshop }: Context): Promise<Peer | string> {
  if ((await output(["node", "--version"])) === undefined)
    return "Node.js is not installed: Portkey is not measured.";
  const folder = join(tmpdir(), `chatgpt-api-server-bench-portkey-${PORTKEY_VERSION}`);
  const script = join(folder, "node_modules", PORTKEY, "build/start-server.js");
  if (!existsSync(script)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"name":"peer","private":true}');
    await output([process.execPath, "add", "--ignore-scripts", `${PORTKEY}@${PORTKEY_VERSION}`], folder);
  }
  if (!existsSync(script)) return "Portkey's gateway cannot be installed here: it is not measured.";
  return {
    name: "Portkey",
    version: PORTKEY_VERSION,
    headersFor: ({ port }) =>
      `x-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:${port}/v1\r\n`,
    isRewriting: true,
    start() {
      const port = freePort();
      const env = { NODE_ENV: "production" };
      return workshop.start({ command: ["node", script, `--port=${port}`, "--headless"], env, port });
    },
  };
}
