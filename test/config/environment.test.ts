import { describe, expect, test } from "bun:test";
import { readServerArgs } from "../../src/cli/args.ts";

const read = (args: readonly string[], env: Record<string, string>) => readServerArgs({ args, env });

describe("other variables", () => {
  test("one warning names the variables that look like settings", () => {
    const env = { CHATGPT_API_QUEUE_WIAT: "1s", CHATGPT_API_KEY: "x", HOME: "/", CHATGPT_API_QUEUE_MAX: "5" };
    expect(read(["1", "k"], env).warnings).toEqual([
      "Ignored unknown variables: CHATGPT_API_KEY, CHATGPT_API_QUEUE_WIAT",
    ]);
  });

  test("the address that Kubernetes sets for a Service of our name is ignored", () => {
    const env = { CHATGPT_API_PORT: "tcp://10.0.0.1:80", ADMIN_KEY: "k" };
    expect(read([], env)).toMatchObject({ config: { port: 8080 }, warnings: [] });
    expect(read([], { ...env, PORT: "81" }).config.port).toBe(81);
  });
});
