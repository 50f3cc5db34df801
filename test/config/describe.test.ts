import { describe, expect, test } from "bun:test";
import { readServerArgs } from "../../src/cli/args.ts";
import { type Config, describeSettings } from "../../src/config/settings.ts";

const read = (args: readonly string[], env: Record<string, string>) => readServerArgs({ args, env });
const configOf = (args: readonly string[], env: Record<string, string> = {}) =>
  read(["8080", "key", ...args], env).config;

describe("describing the settings", () => {
  const shown = (config: Config) =>
    Object.fromEntries(Object.values(describeSettings(config)).map(({ label, value }) => [label, value]));

  test("the description has every setting as the command line takes it", () => {
    const args = ["--body-max=1.5MB", "--drain=90", "--reconnect-grace=0", "--agent-origins=none"];
    expect(shown(configOf(args))).toMatchObject({
      "--port": "8080",
      "admin-key": "***",
      "--host": "(every address)",
      "--agent-key": "(generated)",
      "seal-key": "(generated)",
      "--body-max": "1536KB",
      "--drain": "90s",
      "--reconnect-grace": "0",
      "--agent-origins": "none",
      "--queue-wait": "2m",
    });
    expect(Object.keys(shown(configOf([])))).toHaveLength(Object.keys(configOf([])).length);
  });

  test("keys that follow from the cluster key are not shown as generated", () => {
    const clusterKey = "c".repeat(32);
    const values = shown(configOf([], { CHATGPT_API_CLUSTER_KEY: clusterKey }));
    const derived = "(derived from the cluster key)";
    expect(values).toMatchObject({ "--agent-key": derived, "seal-key": derived, "--metrics-key": "(none)" });
    const given = configOf([], { CHATGPT_API_CLUSTER_KEY: clusterKey, AGENT_KEY: "agent-key-1234" });
    expect(shown(given)).toMatchObject({ "--agent-key": "***", "seal-key": derived });
  });

  test("the description shows no secret, and reads back as the same settings", () => {
    const secrets = { AGENT_KEY: "agent-key-1234", CHATGPT_API_SEAL_KEY: "s".repeat(32) };
    const config = configOf(["--frame-max=1234567", "--ping-every=1001ms"], secrets);
    expect(JSON.stringify(describeSettings(config))).not.toMatch(/agent-key-1234|ssss|"key"/);
    const args = Object.values(describeSettings(config)).flatMap(({ label, value }) =>
      label.startsWith("--") && !/[(*]/.test(value) ? [`${label}=${value}`] : [],
    );
    expect(read(args, { ADMIN_KEY: "key", ...secrets }).config).toEqual(config);
  });
});
