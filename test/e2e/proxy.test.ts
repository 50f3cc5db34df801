import { expect, onTestFinished, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { makeCertificate, type TestCertificate } from "../support/certificate.ts";
import { type Executable, startExecutable } from "../support/executable.ts";
import { describeWith } from "../support/programs.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";
import { chunk, connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

const DOCS = join(import.meta.dir, "../../docs/reverse-proxy.md");
const NAME = "chat.example.com";

/** Returns the example of the documentation with its name, ports and files replaced. Throws if one is missing. */
function example(language: string, changes: readonly (readonly [string, string])[]): string {
  const [, block] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(readFileSync(DOCS, "utf8")) ?? [];
  let text = block ?? "";
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`the ${language} example has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

interface Place {
  folder: string;
  port: number;
  upstream: number;
  certificate: TestCertificate;
}

interface Proxy {
  /** Writes the files that the proxy needs into its folder, and returns its arguments. */
  prepare(place: Place): string[];
}

const PROXIES: Record<"caddy" | "nginx", Proxy> = {
  caddy: {
    prepare({ folder, port, upstream, certificate: { cert, key } }) {
      const site = example("caddyfile", [
        [`${NAME} {`, `https://${NAME}:${port}, https://localhost:${port} {\n\ttls ${cert} ${key}`],
        ["127.0.0.1:8080", `127.0.0.1:${upstream}`],
      ]);
      writeFileSync(join(folder, "Caddyfile"), `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`);
      return ["run", "--config", join(folder, "Caddyfile")];
    },
  },
  nginx: {
    prepare({ folder, port, upstream, certificate: { cert, key } }) {
      const site = example("nginx", [
        ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
        ["server 127.0.0.1:8080", `server 127.0.0.1:${upstream}`],
        [`/etc/ssl/${NAME}/fullchain.pem`, cert],
        [`/etc/ssl/${NAME}/privkey.pem`, key],
      ]);
      const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (name) => `${name}_temp_path ${name};`,
      );
      const main = `pid nginx.pid;\ndaemon off;\n${process.getuid?.() === 0 ? "user root;\n" : ""}events {}\n`;
      const log = "access_log off;\nerror_log stderr;";
      writeFileSync(join(folder, "nginx.conf"), `${main}http {\n${own.join("\n")}\n${log}\n${site}\n}\n`);
      return ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")];
    },
  },
};

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

interface Scene {
  server: Executable;
  /** The address of the proxy. */
  url: string;
  port: number;
  ca: string;
}

async function start({ prepare }: Proxy, program: string): Promise<Scene> {
  const flags = ["--host", "127.0.0.1", "--trust-proxy", "loopback"];
  const adminKey = `admin-${crypto.randomUUID()}`;
  const server = await startExecutable({ args: ["0", adminKey, ...flags] });
  const certificate = await makeCertificate(NAME);
  const place = { folder: tempFolder(), port: freePort(), upstream: server.port, certificate };
  const child = Bun.spawn([program, ...prepare(place)], {
    env: { PATH: process.env["PATH"], HOME: place.folder },
    stdout: "ignore",
    stderr: Bun.file(join(place.folder, "log")),
  });
  onTestFinished(async () => {
    child.kill();
    await child.exited;
  });
  await until(() => {
    if (child.exitCode !== null) throw new Error(readFileSync(join(place.folder, "log"), "utf8"));
    return isOpen(place.port);
  });
  const ca = readFileSync(certificate.ca, "utf8");
  return { server: { ...server, adminKey }, url: `https://localhost:${place.port}`, port: place.port, ca };
}

function post(scene: Scene, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${scene.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${scene.server.adminKey}` },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }], ...body }),
    tls: { ca: scene.ca },
    ...(signal && { signal }),
  });
}

/** Sends a request with any headers, from another address of this machine. */
function forge({ port, ca }: Scene, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const tcp = connectTcp({ port, host: "127.0.0.1", localAddress: "127.0.0.5" });
    const socket = connect({ socket: tcp, ca, servername: NAME }, () => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`GET /v1/models HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n${lines.join("")}\r\n`);
    });
    socket.on("data", (data: Buffer) => {
      answer += data;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

for (const name of ["caddy", "nginx"] as const) {
  describeWith(name, `the documented ${name}`, (program) => {
    test("agents register with the key through the documented proxy, answers stream without delay, and a hang-up reaches the agent", async () => {
      const scene = await start(PROXIES[name], program);
      const agent = await connectV2Agent(`${scene.url}/agents/${scene.server.agentKey}`, {
        ca: scene.ca,
        hello: V2_HELLO,
      });
      onTestFinished(agent.stop);
      const asked = post(scene, { stream: true });
      const { ask } = await agent.next("ask");
      agent.say({ type: "accept", ask });
      agent.say({ type: "delta", ask, data: chunk("first") });
      const reader = ((await asked).body ?? new ReadableStream()).getReader();
      const first = new TextDecoder().decode((await reader.read()).value);
      // The agent has not sent the second piece yet.
      expect(first).toContain("first");
      agent.say({ type: "delta", ask, data: chunk("second") });
      expect(new TextDecoder().decode((await reader.read()).value)).toContain("second");
      await reader.cancel();
      expect((await agent.next("cancel")).ask).toBe(ask);
    });

    test("an agent without the key is refused behind the documented proxy, although the proxy is on the server's machine", async () => {
      const { url, ca } = await start(PROXIES[name], program);
      const { status } = await fetch(`${url}/client/register`, { tls: { ca } });
      expect(status).toBe(401);
      expect((await fetch(`${url}/health`, { tls: { ca } })).status).toBe(200);
    });

    test("the caller's address is the one that the documented proxy saw, whatever the caller's headers say", async () => {
      const scene = await start(PROXIES[name], program);
      const forged = { "X-Forwarded-For": "8.8.8.8", "X-Real-IP": "8.8.4.4", Forwarded: "for=9.9.9.9" };
      for (const headers of [{}, forged]) {
        const answer = await forge(scene, { ...headers, Authorization: "wrong" });
        expect(answer).toStartWith("HTTP/1.1 401");
      }
      const lines = () =>
        scene.server
          .stdout()
          .split("\n")
          .filter((line) => line.includes('"/v1/models'));
      await until(() => lines().length >= 2);
      const seen = lines().map((line) => JSON.parse(line).address);
      expect(seen).toEqual(["127.0.0.5", "127.0.0.5"]);
    });

    test("the dashboard behind the documented proxy signs in with a Secure cookie, and its live view opens", async () => {
      const { url, ca, server } = await start(PROXIES[name], program);
      const tls = { ca };
      expect((await fetch(`${url}/dashboard`, { tls })).headers.get("content-type")).toStartWith("text/html");
      const browser = { "sec-fetch-site": "same-origin", origin: url };
      const signedIn = await fetch(`${url}/api/session`, {
        method: "POST",
        headers: { ...browser, authorization: `Bearer ${server.adminKey}` },
        tls,
      });
      const cookie = signedIn.headers.get("set-cookie") ?? "";
      expect(cookie).toContain("; Secure");
      const [pair = ""] = cookie.split(";");
      const view = new WebSocket(`${url.replace(/^http/, "ws")}/admin/live`, {
        headers: { ...browser, cookie: pair },
        tls,
      });
      onTestFinished(() => view.close());
      const frame = await new Promise<string>((resolve, reject) => {
        view.onmessage = ({ data }) => resolve(String(data));
        view.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
      });
      expect(frame).toContain('"type":"overview"');
    });

    test("the documented proxy passes a body that is as large as the server accepts", async () => {
      const scene = await start(PROXIES[name], program);
      const agent = await connectV2Agent(`${scene.url}/agents/${scene.server.agentKey}`, { ca: scene.ca });
      onTestFinished(agent.stop);
      const caller = new AbortController();
      const content = "x".repeat(19 * 1024 * 1024);
      const asked = post(scene, { messages: [{ role: "user", content }] }, caller.signal).catch(() => {});
      expect((await agent.next("ask")).body).toContain(content);
      caller.abort();
      await asked;
    });
  });
}
