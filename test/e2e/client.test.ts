import { expect, onTestFinished, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXECUTABLE } from "../support/executable.ts";
import { shareModelApi } from "../support/model-api.ts";
import { describeWith } from "../support/programs.ts";
import { runInHome } from "../support/run-in-home.ts";

/** The command `client` with the real server, and the clients that it configured. */
const api = shareModelApi({ agents: () => [["--echo"]] });

function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), "chatgpt-api-client-test-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, "work"));
  return home;
}

const configure = (home: string, ...args: string[]) =>
  runInHome(home, [EXECUTABLE, "client", ...args, "--server", api().url], {
    CHATGPT_API_TOKEN: api().apiKey,
  });

test("the executable reads the models of the server and writes each configuration once", async () => {
  const home = makeHome();
  for (const name of ["codex", "claude", "opencode", "continue", "aider", "zed", "vscode"]) {
    expect(await configure(home, name, "--write")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`uses the model echo of ${api().url}.`),
      stderr: "",
    });
    expect(await configure(home, name, "--write")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("is up to date."),
    });
  }
  const path = join(home, ".codex/config.toml");
  expect(readFileSync(path, "utf8")).toContain(`base_url = "${api().baseURL}"`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a wrong token, the admin key and an unknown model are reported, and nothing is written", async () => {
  const home = makeHome();
  for (const [args, text] of [
    [["--token", "wrong"], "does not accept this token (401)."],
    [["--token", api().adminKey], "This is the server's admin key."],
    [["--model", "ecko"], "Did you mean echo?"],
  ] as const) {
    const result = await configure(home, "codex", "--write", ...args);
    expect(result).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining(text) });
  }
  expect(() => statSync(join(home, ".codex"))).toThrow();
});

describeWith("codex", "Codex as the command configures it", (path) => {
  test("Codex reaches the server with the written configuration", async () => {
    const home = makeHome();
    await configure(home, "codex", "--write");
    const result = await runInHome(home, [path, "exec", "--skip-git-repo-check", "say hello-codex"]);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining("say hello-codex") });
  });
});

describeWith("claude", "Claude Code as the command configures it", (path) => {
  test("Claude Code reaches the server with the written configuration", async () => {
    const home = makeHome();
    await configure(home, "claude", "--write");
    const result = await runInHome(home, [path, "-p", "say hello-claude"]);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining("say hello-claude") });
  });
});
