import { expect, onTestFinished, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type HostProcess, startAtHost } from "../support/network/host-process.ts";
import { makeHosts, whyNoHosts } from "../support/network/hosts.ts";
import { addExecutable, buildPackages } from "../support/packages.ts";
import { findProgram } from "../support/programs.ts";
import { tempFolder } from "../support/store.ts";

/**
 * The first minutes of somebody with three computers: the server, one with Ollama in an office whose network lets only an
 * HTTP proxy out, and one with llama.cpp behind a gateway that passes no WebSockets on. A fourth one asks. Each computer
 * is a network namespace, with Node and what npm has installed.
 */
const HOSTS = ["server", "gateway", "office", "hotel", "desk"] as const;
const CABLES = [
  { ends: ["server", "gateway"], network: "10.203.0" },
  { ends: ["office", "gateway"], network: "10.203.1" },
  { ends: ["hotel", "gateway"], network: "10.203.2" },
  { ends: ["desk", "server"], network: "10.203.3" },
] as const;
const SERVER_URL = "http://10.203.0.1:8080";
const PROXY = "http://10.203.1.2:8888";
const GATEWAY_URL = "http://10.203.2.2:8080";
const DESK_URL = "http://10.203.3.2:8080";

const missing = (["tinyproxy", "nginx", "npm"] as const).filter(
  (program) => findProgram(program) === undefined,
);
const reason = missing.length > 0 ? `install ${missing.join(", ")}` : whyNoHosts();
const TITLE = "from the packages for npm to models on two machines, through a proxy and without WebSockets";

/** Installs the packages with npm where there is neither Bun nor a registry. Returns the program and its `PATH`. */
async function install(): Promise<{ program: string; path: string }> {
  const folder = tempFolder();
  await addExecutable(folder);
  const tarballs = await buildPackages(folder, "npm");
  const programs = join(folder, "programs");
  mkdirSync(programs);
  const npm = findProgram("npm") ?? "";
  for (const name of ["node", "npm"])
    symlinkSync(Bun.which(name) ?? join(dirname(npm), name), join(programs, name));
  const path = `${programs}:/usr/bin:/bin`;
  writeFileSync(join(folder, "package.json"), "{}");
  const files = tarballs.map((file) => `./${file}`);
  const flags = ["--offline", "--no-audit", "--no-fund", "--cache", join(folder, "cache")];
  await startAtHost(["npm", "install", ...flags, ...files], { PATH: path, HOME: folder }, folder).finished();
  return { program: join(folder, "node_modules/.bin/chatgpt-api-server"), path };
}

test.skipIf(reason !== undefined)(
  reason === undefined ? TITLE : `${TITLE} (skipped: ${reason})`,
  async () => {
    const startedAt = performance.now();
    const hosts = makeHosts(HOSTS, CABLES);
    onTestFinished(hosts.remove);
    const { program, path } = await install();
    const homes = Object.fromEntries(HOSTS.map((host) => [host, tempFolder()]));
    const start = (
      host: (typeof HOSTS)[number],
      command: string[],
      env: Record<string, string> = {},
    ): HostProcess => {
      const home = homes[host] ?? "";
      return startAtHost(hosts.at(host, command), { PATH: path, HOME: home, ...env }, home);
    };
    const run = (host: (typeof HOSTS)[number], ...command: string[]) => start(host, command).finished();

    startProxies(start, homes["gateway"] ?? "");
    for (const [host, kind] of [
      ["office", "ollama"],
      ["hotel", "llama.cpp"],
    ] as const)
      await start(host, [process.execPath, script("model-server.ts"), kind]).output(/listening/);

    const server = start("server", [program, "8080", "key"]);
    await server.output(/listening/i);
    const pair = async (url: string, name: string) => {
      const printed = await run("server", program, "agents", "pair", name, "--server", url, "--json");
      return (JSON.parse(printed) as { code: string }).code;
    };
    const office = start(
      "office",
      [program, "agent", SERVER_URL, "--pair", await pair(SERVER_URL, "office")],
      { HTTP_PROXY: PROXY },
    );
    const hotel = start("hotel", [program, "agent", GATEWAY_URL, "--pair", await pair(GATEWAY_URL, "hotel")]);
    await Promise.all([office.output(/connected to/), hotel.output(/connected to/)]);

    const added = await run("server", program, "users", "add", "--name", "Ann", "--json");
    const { token } = JSON.parse(added) as { token: string };
    const ask = (program: string, url: string, model: string) =>
      run("desk", process.execPath, script(program), url, token, model);
    const answers = {
      byOpenAi: await ask("chat.ts", `${DESK_URL}/v1`, "llama3.2"),
      withoutWebSockets: await ask("chat.ts", `${DESK_URL}/v1`, "gemma.gguf"),
      byOllama: await ask("ollama-chat.ts", DESK_URL, "llama3.2"),
    };
    expect(answers).toEqual({
      byOpenAi: "Hello from ollama!\n",
      withoutWebSockets: "Hello from llama.cpp!\n",
      byOllama: "Hello from ollama!\n",
    });

    const listed = await run(
      "desk",
      "curl",
      "-sS",
      "-H",
      "Authorization: Bearer key",
      `${DESK_URL}/admin/agents`,
    );
    const { agents } = JSON.parse(listed) as { agents: { key: string; transport: string }[] };
    const transports = Object.fromEntries(agents.map(({ key, transport }) => [key, transport]));
    expect(transports).toEqual({ office: "websocket", hotel: "long-polling" });
    process.stdout.write(
      `From the packages to all answers: ${Math.round((performance.now() - startedAt) / 1000)} s\n`,
    );
  },
);

const script = (name: string) => join(import.meta.dir, "../support/network", name);

/** Starts a proxy for the office, and a gateway for the hotel that does not pass upgrades on. */
function startProxies(start: (host: "gateway", command: string[]) => HostProcess, folder: string): void {
  writeFileSync(join(folder, "tinyproxy"), "Port 8888\nTimeout 600\nMaxClients 100\n");
  start("gateway", [findProgram("tinyproxy") ?? "", "-d", "-c", join(folder, "tinyproxy")]);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${name};`,
  );
  const site = `server { listen 8080; location / { proxy_pass ${SERVER_URL}; } }`;
  writeFileSync(
    join(folder, "nginx"),
    `pid nginx.pid;\ndaemon off;\nuser root;\nevents {}\nhttp {\n${temporary.join("\n")}\naccess_log off;\n${site}\n}\n`,
  );
  start("gateway", [findProgram("nginx") ?? "", "-p", folder, "-e", "stderr", "-c", join(folder, "nginx")]);
}
