import { expect, test } from "bun:test";
import { readServerArgs } from "../../src/cli/args.ts";
import { CommandError } from "../../src/errors.ts";

/** Returns the faults of a flag on an otherwise valid command line. */
function faults(flag: string): string[] {
  try {
    readServerArgs({ args: [flag], env: { ADMIN_KEY: "key" } });
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    return (error as CommandError).message.split("\n");
  }
  return [];
}

test.each<[string, string, string]>([
  ["--port", "0", "65535"],
  ["--queue-max", "1", "100000"],
  ["--queue-user-max", "1", "100000"],
  ["--slots", "1", "240"],
  ["--weight", "0.000001", "1000"],
  ["--queue-wait", "100ms", "1h"],
  ["--reconnect-grace", "0", "10m"],
  ["--first-byte", "100ms", "1h"],
  ["--whole-stream", "1s", "1d"],
  ["--ping-every", "100ms", "10m"],
  ["--pong-within", "100ms", "1m"],
  ["--hello-within", "100ms", "1m"],
  ["--lame-duck", "0", "5m"],
  ["--drain", "0", "1h"],
  ["--store-grace", "0", "1d"],
  ["--conversation-days", "1", "3650"],
  ["--usage-days", "1", "3650"],
  ["--body-max", "1KB", "512MB"],
  ["--bodies-max", "1MB", "1024GB"],
  ["--upload-max", "1KB", "1024GB"],
  ["--uploads-max", "1MB", "1024GB"],
  ["--frame-max", "1KB", "512MB"],
  ["--session", "1m", "90d"],
  ["--response-memory", "0", "64GB"],
])("the flag %s has the bounds %s and %s", (flag, min, max) => {
  const given = (text: string) => faults(`${flag}=${text}`);
  const beyond = max.replace(/^\d+/, (digits) => String(Number(digits) + 1));
  const below = min.replace(/^\d+/, (digits) => String(Number(digits) - 1));
  expect([...given(min), ...given(max)]).toEqual([]);
  expect([given(beyond).length, given(below).length]).toEqual([1, 1]);
});

test.each([
  "postgres://user:100%@host:5432/chat",
  "postgres://user:%ff@host/chat",
  "postgres://host",
  "postgres://host/one/two",
  "postgres:///chat",
  "mysql://host/chat",
  "chat",
])("the database %s is refused with an example of an address", (text) => {
  expect(faults(`--database=${text}`)).toEqual([
    expect.stringContaining("postgres://user:password@host:5432/"),
  ]);
});

test.each(["postgres://host/chat", "postgresql://user:100%25%40@host:5432/chat?sslmode=require"])(
  "the database %s is accepted",
  (text) => {
    expect(faults(`--database=${text}`)).toEqual([]);
  },
);

test("a node of a cluster takes longer to stop by default, and as long as it is told to", () => {
  const cluster = ["--nats=nats://a", "--database=postgres://db/chat", `--cluster-key=${"c".repeat(32)}`];
  const configOf = (args: readonly string[], env = {}) =>
    readServerArgs({ args: [...cluster, ...args], env: { ADMIN_KEY: "key", ...env } }).config;
  expect(configOf([])).toMatchObject({ lameDuckMs: 5_000, drainMs: 600_000 });
  expect(configOf(["--drain=30s"], { CHATGPT_API_LAME_DUCK: "0" })).toMatchObject({
    lameDuckMs: 0,
    drainMs: 30_000,
  });
});
