import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretEntry } from "../../src/cli/client/ask-secret.ts";
import { CLIENTS } from "../../src/cli/client/clients.ts";
import { client } from "../../src/cli/client.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { CommandError } from "../../src/errors.ts";
import { recordedTerminal } from "./terminal.ts";

const ALL = ["nomic-embed-text", "llama3.2", "qwen3"];
let models: readonly string[] = ALL;
const seen: string[] = [];
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const { pathname } = new URL(request.url);
    const key = request.headers.get("authorization");
    seen.push(`${pathname} ${key}`);
    if (pathname.startsWith("/moved")) return Response.redirect("https://elsewhere.example.com/");
    if (pathname.startsWith("/page")) return new Response("<html></html>");
    if (pathname.startsWith("/broken")) return new Response("no", { status: 503 });
    if (pathname === "/api/session")
      return Response.json({ role: key === "Bearer admin" ? "admin" : "user" });
    if (pathname !== "/v1/models") return new Response("no", { status: 404 });
    if (key !== "Bearer t-1" && key !== "Bearer admin") return new Response("no", { status: 401 });
    return Response.json({ object: "list", data: models.map((id) => ({ id })) });
  },
});
const url = `http://127.0.0.1:${server.port}`;
const home = mkdtempSync(join(tmpdir(), "chatgpt-api-client-test-"));
const env = { HOME: home, USERPROFILE: home, CHATGPT_API_TOKEN: "t-1" };
const codexFolder = join(home, ".codex");
const codexFile = join(codexFolder, "config.toml");

beforeEach(() => {
  models = ALL;
  rmSync(codexFolder, { recursive: true, force: true });
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await server.stop(true);
});

async function failureOf(args: readonly string[], io = recordedTerminal(env)): Promise<CommandError> {
  const error = await client(args, io).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CommandError);
  return error as CommandError;
}

async function outputOf(args: readonly string[], io = recordedTerminal(env)): Promise<string> {
  expect(await client([...args, "--server", url], io)).toBe(0);
  return io.stdout();
}

test("the usage names every client", () => {
  expect(COMMANDS.client.usage[0]).toContain(Object.keys(CLIENTS).join("|"));
});

describe("printing", () => {
  test.each(Object.keys(CLIENTS))(
    "the configuration of %s has the server and the first chat model",
    async (name) => {
      const text = await outputOf([name]);
      expect(text).toContain(url);
      expect(text).toContain("llama3.2");
      expect(text).not.toContain("nomic-embed-text");
      expect(text.includes("t-1")).toBe(CLIENTS[name as keyof typeof CLIENTS].holdsToken);
    },
  );

  test("a program gets the configuration alone, and a person also where it belongs", async () => {
    const alone = await outputOf(["codex", "--model", "qwen3"]);
    expect(Bun.TOML.parse(alone)).toMatchObject({ model: "qwen3", model_provider: "mine" });
    const io = Object.assign(recordedTerminal(env), { isTerminal: true });
    const text = await outputOf(["codex", "--model", "qwen3"], io);
    expect(text).toStartWith(`# Codex CLI reads this from ${codexFile}.`);
    expect(text).toEndWith(alone);
  });

  test("the address of a server may end with a slash, /v1 or /dashboard, and needs no scheme on this machine", async () => {
    for (const address of [`${url}/`, `${url}/v1`, `${url}/v1/models`, `${url}/dashboard`, url.slice(7)]) {
      const io = recordedTerminal(env);
      await client(["claude", "--server", address], io);
      expect(JSON.parse(io.stdout())).toMatchObject({ env: { ANTHROPIC_BASE_URL: url } });
    }
  });

  test("another name of the provider makes another provider", async () => {
    const text = await outputOf(["codex", "--provider", "work"]);
    expect(text).toContain('[model_providers.work]\nname = "Work"\n');
  });
});

describe("writing", () => {
  test("the file is merged and copied once, and a second run changes nothing", async () => {
    mkdirSync(codexFolder);
    writeFileSync(codexFile, '# mine\napproval_policy = "never"\n');
    const first = await outputOf(["codex", "--write"]);
    expect(first).toStartWith(
      `Wrote ${codexFile}: Codex CLI uses the model llama3.2 of ${url}.\nThe old file is `,
    );
    const written = readFileSync(codexFile, "utf8");
    expect(written).toContain('# mine\napproval_policy = "never"\n');
    const names = readdirSync(codexFolder);
    expect(names).toHaveLength(2);
    expect(await outputOf(["codex", "--write"])).toBe(`${codexFile} is up to date.\n`);
    expect(readFileSync(codexFile, "utf8")).toBe(written);
    expect(readdirSync(codexFolder)).toEqual(names);
  });

  test("the configured model stays while the server offers it", async () => {
    await outputOf(["codex", "--write", "--model", "qwen3"]);
    await outputOf(["codex", "--write"]);
    expect(readFileSync(codexFile, "utf8")).toContain('model = "qwen3"\n');
    models = ["other"];
    await outputOf(["codex", "--write"]);
    expect(readFileSync(codexFile, "utf8")).toContain('model = "other"\n');
  });

  test("a file that is not in its format stays as it is, without a copy", async () => {
    mkdirSync(codexFolder);
    writeFileSync(codexFile, "model = = 1\n");
    const { message, exitCode } = await failureOf(["codex", "--write", "--server", url]);
    expect(message).toStartWith(`${codexFile} was not changed: it is not valid TOML.`);
    expect(exitCode).toBe(1);
    expect(readFileSync(codexFile, "utf8")).toBe("model = = 1\n");
    expect(readdirSync(codexFolder)).toEqual(["config.toml"]);
  });

  test("--file names another file", async () => {
    const path = join(home, "elsewhere.toml");
    await outputOf(["codex", "--write", "--file", path]);
    expect(readFileSync(path, "utf8")).toContain("llama3.2");
    expect(readdirSync(home)).not.toContain(".codex");
  });
});

describe("the token", () => {
  const withoutToken = { HOME: home, USERPROFILE: home };

  test("a token comes from a flag, a file, a variable that names a file, or the user", async () => {
    const file = join(home, "token");
    writeFileSync(file, "t-1\n");
    for (const flags of [
      ["--token", "t-1"],
      ["--token-file", file],
    ])
      expect(await outputOf(["codex", ...flags], recordedTerminal(withoutToken))).toContain('"t-1"');
    const byVariable = recordedTerminal({ ...withoutToken, CHATGPT_API_TOKEN_FILE: file });
    expect(await outputOf(["codex"], byVariable)).toContain('"t-1"');
    const questions: string[] = [];
    const askSecret = async (question: string) => {
      questions.push(question);
      return " t-1 ";
    };
    const asked = Object.assign(recordedTerminal(withoutToken), { askSecret });
    expect(await outputOf(["codex"], asked)).toContain('"t-1"');
    expect(questions).toEqual([`Token for ${url} (it is not shown): `]);
  });

  test("a missing token is reported with the ways to give one and to get one", async () => {
    const { message, exitCode } = await failureOf(["codex", "--server", url], recordedTerminal(withoutToken));
    expect(message).toContain("CHATGPT_API_TOKEN");
    expect(message).toContain("users add");
    expect(exitCode).toBe(2);
  });

  test("the admin key is refused", async () => {
    const { message } = await failureOf(["codex", "--server", url, "--token", "admin"]);
    expect(message).toStartWith("This is the server's admin key. Use a user's token.");
  });

  test("a typed token ends with Enter, and keys correct it", () => {
    const typed = (...parts: string[]) => {
      const entry = new SecretEntry();
      const keys = parts.map((part) => entry.type(part));
      return [keys.at(-1), entry.text];
    };
    expect(typed("ab", "\u007fc", "\r")).toEqual(["enter", "ac"]);
    expect(typed("wrong\u0015", "\u001b[200~t-1\u001b[201~", "\n")).toEqual(["enter", "t-1"]);
    expect(typed("ab\u0003")[0]).toBe("cancel");
    expect(typed("x".repeat(10_000))[1]).toHaveLength(4096);
  });
});

describe("faults", () => {
  test.each([
    ["/moved", "redirects elsewhere. Give the address that it redirects to as --server."],
    ["/page", "lists no models at /v1/models (status 200). Check the address in --server."],
    ["/nothing", "lists no models at /v1/models (status 404). Check the address in --server."],
    ["/broken", "responded with status 503. Try again later."],
  ])("a server at %s is reported", async (path, text) => {
    const { message, exitCode } = await failureOf(["codex", "--server", `${url}${path}`]);
    expect(message).toBe(`${url}${path} ${text}`);
    expect(exitCode).toBe(1);
  });

  test("a wrong token is reported, and not repeated", async () => {
    const { message } = await failureOf(["codex", "--server", url, "--token", "wrong-one"]);
    expect(message).toStartWith(`${url} does not accept this token (401).`);
    expect(message).not.toContain("wrong-one");
  });

  test("a server that cannot be reached is reported", async () => {
    const free = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const { port } = free;
    await free.stop(true);
    const { message } = await failureOf(["codex", "--server", `http://127.0.0.1:${port}`]);
    expect(message).toBe(
      `http://127.0.0.1:${port} cannot be reached (connection refused). Check --server, and that the server runs.`,
    );
  });

  test("a model that is not offered is reported with those that are, and a server without models too", async () => {
    const { message } = await failureOf(["codex", "--server", url, "--model", "qwen"]);
    expect(message).toStartWith(
      "The server does not offer the model qwen to this token. Did you mean qwen3?",
    );
    expect(message).toEndWith("Available models: nomic-embed-text, llama3.2, qwen3.");
    models = [];
    expect((await failureOf(["codex", "--server", url])).message).toContain("offers no models to this token");
  });

  test.each([
    [[], "Give one client: codex, claude,"],
    [["codx"], "Did you mean codex?"],
    [["codex", "claude"], "Give one client"],
    [["openwebui", "--write"], "Open WebUI has no configuration file."],
    [["codex", "--file", "x"], "--file belongs to --write."],
    [["codex", "--provider", "openai"], "--provider is not valid."],
    [["codex", "--provider", "a.b"], "--provider is not valid."],
    [["codex", "--server", "ftp://x"], "--server is not valid."],
    [["codex", "--server", "http://user:pass@x"], "--server is not valid."],
    [["codex", "--token", "a", "--token-file", "b"], "--token and --token-file are both there."],
    [["codex", "--token", "a b"], "The token has characters"],
    [
      ["codex", "--token-file", "/nowhere/token"],
      "The file with the token cannot be read. It does not exist.",
    ],
  ])("the arguments %j are refused before the server is called", async (args, text) => {
    seen.length = 0;
    const { message, exitCode } = await failureOf(args);
    expect(message).toContain(text);
    expect(exitCode).toBe(2);
    expect(seen).toEqual([]);
  });
});
