import { describe, expect, test } from "bun:test";
import { readConfig } from "../../src/config/read.ts";

const read = (args: readonly string[], env: Record<string, string>) => readConfig({ args, env });

describe("what the environment holds besides", () => {
  test("is named in one warning where it looks like a setting, and is never a fault", () => {
    const env = { CHATGPT_API_QUEUE_WIAT: "1s", CHATGPT_API_KEY: "x", HOME: "/", CHATGPT_API_QUEUE_MAX: "5" };
    expect(read(["1", "k"], env).warnings).toEqual([
      "unknown variables are ignored: CHATGPT_API_KEY, CHATGPT_API_QUEUE_WIAT",
    ]);
  });

  test("may be the address that Kubernetes gives a service of our name", () => {
    const env = { CHATGPT_API_PORT: "tcp://10.0.0.1:80", ADMIN_KEY: "k" };
    expect(read([], env)).toMatchObject({ config: { port: 8080 }, warnings: [] });
    expect(read([], { ...env, PORT: "81" }).config.port).toBe(81);
  });
});
