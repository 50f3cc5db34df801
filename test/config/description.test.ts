import { describe, expect, test } from "bun:test";
import { type Config, describeConfig, readConfig } from "../../src/config/read.ts";

const read = (args: readonly string[], env: Record<string, string>) => readConfig({ args, env });
const configOf = (args: readonly string[], env: Record<string, string> = {}) =>
  read(["8080", "key", ...args], env).config;

describe("the description for people", () => {
  const shown = (config: Config) =>
    Object.fromEntries(describeConfig(config).map(({ label, shown }) => [label, shown]));

  test("has every setting, in the words that the command line takes", () => {
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

  test("shows no secret, and reads back as what it describes", () => {
    const secrets = { AGENT_KEY: "agent-key-1234", CHATGPT_API_SEAL_KEY: "s".repeat(32) };
    const config = configOf(["--frame-max=1234567", "--ping-every=1001ms"], secrets);
    expect(JSON.stringify(describeConfig(config))).not.toMatch(/agent-key-1234|ssss|"key"/);
    const args = describeConfig(config).flatMap(({ label, shown }) =>
      label.startsWith("--") && !/[(*]/.test(shown) ? [`${label}=${shown}`] : [],
    );
    expect(read(args, { ADMIN_KEY: "key", ...secrets }).config).toEqual(config);
  });
});
