import { expect, onTestFinished, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shareModelApi } from "../support/model-api.ts";
import { describeWith } from "../support/programs.ts";
import { runInHome } from "../support/run-in-home.ts";
import { callThenText, shareStrictUpstream } from "../support/upstream/strict-upstream.ts";

/**
 * The real Claude Code and Codex, as their users configure them, with a turn in which they run a command. Their
 * requests are translated for an upstream that refuses every field and every message order that it does not know.
 */
const upstream = shareStrictUpstream(["qwen"]);
/** Knows only what a chat with tools cannot do without. */
const bareUpstream = shareStrictUpstream(
  ["bare"],
  [
    ...["stream_options", "parallel_tool_calls", "reasoning_effort", "verbosity", "user", "max_tokens"],
    ...["tools.strict", "messages.reasoning_content"],
  ],
);
const api = shareModelApi({
  agents: () => [
    ["--upstream", upstream().url],
    ["--upstream", bareUpstream().url],
  ],
  flags: ["--model-alias", "gpt-5.5=qwen", "--model-alias", "claude-opus-5-5=qwen"],
});

/** Runs the program in a home folder of its own. */
async function run(path: string, args: readonly string[], env: Record<string, string>, codexConfig = "") {
  const home = mkdtempSync(join(tmpdir(), "chatgpt-api-client-test-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, ".codex"));
  mkdirSync(join(home, "work"));
  writeFileSync(join(home, ".codex/config.toml"), codexConfig);
  return runInHome(home, [path, ...args], env);
}

/** Expects two requests that the upstream took, the second with the command's output. */
function expectToolTurn(result: Awaited<ReturnType<typeof run>>, by = upstream()) {
  if (by === upstream()) expect(by.refusals).toEqual([]);
  expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining("It said 42.") });
  const last = by.requests.at(-1)?.messages.at(-1);
  expect(last).toMatchObject({ role: "tool", content: expect.stringContaining("said-42") });
}

const COMMAND = "echo said-$((40+2))";

describeWith("claude", "Claude Code", (path) => {
  const ARGS = ["-p", "Run it.", "--allowedTools", "Bash", "--dangerously-skip-permissions"];
  const claude = (base: string, env: Record<string, string>) => {
    const script = callThenText("Bash", { command: COMMAND, description: "Run it" }, "It said 42.");
    for (const each of [upstream(), bareUpstream()]) each.script(script);
    return run(path, ARGS, { ANTHROPIC_BASE_URL: base, ANTHROPIC_AUTH_TOKEN: api().apiKey, ...env });
  };

  test("Claude Code runs a command through a translated upstream", async () => {
    expectToolTurn(await claude(api().url, { ANTHROPIC_MODEL: "qwen" }));
  });

  test("Claude Code works with an upstream that knows few fields", async () => {
    expectToolTurn(await claude(api().url, { ANTHROPIC_MODEL: "bare" }), bareUpstream());
  });

  test("Claude Code works with a base URL that ends with /v1", async () => {
    expectToolTurn(await claude(api().baseURL, { ANTHROPIC_MODEL: "qwen" }));
  });

  test("Claude Code works with its own model's name by an alias", async () => {
    expectToolTurn(await claude(api().url, { ANTHROPIC_MODEL: "claude-opus-5-5" }));
  });
});

describeWith("codex", "Codex", (path) => {
  const ARGS = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "Run it."];
  const KEY_IN_VARIABLE = 'env_key = "TOKEN"';
  const codex = (model: string, more = "", key = KEY_IN_VARIABLE) => {
    const script = callThenText("exec_command", { cmd: COMMAND }, "It said 42.");
    for (const each of [upstream(), bareUpstream()]) each.script(script);
    const config = `model = "${model}"
model_provider = "mine"

[model_providers.mine]
name = "Mine"
base_url = "${api().baseURL}"
${key}
wire_api = "responses"
${more}`;
    return run(path, ARGS, { TOKEN: api().apiKey }, config);
  };

  test("Codex runs a command through a translated upstream", async () => {
    expectToolTurn(await codex("qwen"));
  });

  test("Codex works with its own model's name by an alias", async () => {
    expectToolTurn(await codex("gpt-5.5"));
  });

  test("Codex works with an upstream that knows few fields", async () => {
    expectToolTurn(await codex("bare"), bareUpstream());
  });

  test("Codex reads the list of models, with which it knows the model", async () => {
    const key = `auth = { command = "echo", args = ["${api().apiKey}"] }`;
    for (const model of ["qwen", "gpt-5.5"]) {
      const result = await codex(model, "", key);
      expectToolTurn(result);
      expect(result.stderr).not.toMatch(/Model metadata|failed to (refresh|decode)/);
      const [first] = upstream().requests.at(-1)?.messages ?? [];
      expect(first).toMatchObject({
        role: "system",
        content: expect.stringContaining("apply_patch <<'PATCH'"),
      });
    }
  });

  test("Codex that tries a WebSocket first uses HTTP at once", async () => {
    const result = await codex("qwen", "supports_websockets = true\n");
    expectToolTurn(result);
    expect(result.stderr).not.toContain("Reconnecting");
  });
});
