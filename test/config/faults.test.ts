import { describe, expect, test } from "bun:test";
import { readConfig } from "../../src/config/read.ts";
import { CommandError } from "../../src/errors.ts";

type Env = Record<string, string | undefined>;

function faults(args: readonly string[], env: Env = {}): string[] {
  try {
    readConfig({ args, env });
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    expect((error as CommandError).exitCode).toBe(2);
    return (error as CommandError).message.split("\n");
  }
  return [];
}

const HINT = "give it as the second argument, or in ADMIN_KEY or ADMIN_KEY_FILE";

describe("each fault is told, with what to do", () => {
  const key = { ADMIN_KEY: "k" };
  const noPort = "give a port from 0 to 65535";

  test.each<[string, readonly string[], Env, string]>([
    ["no admin key", ["8080"], {}, `no admin key: ${HINT}`],
    ["an empty key as argument", ["8080", ""], key, `second argument: admin key is empty: ${HINT}`],
    ["an empty key in a variable", ["8080"], { ADMIN_KEY: "" }, `ADMIN_KEY: admin key is empty: ${HINT}`],
    [
      "a key of blanks",
      ["1", " "],
      {},
      "second argument: admin key has a control character, or a blank at one end: remove it",
    ],
    [
      "a key with a line break",
      [],
      { ADMIN_KEY: "a\nb" },
      "ADMIN_KEY: admin key has a control character, or a blank at one end: remove it",
    ],
    [
      "a key without end",
      ["1", "k".repeat(1025)],
      {},
      "second argument: admin key is too long: give at most 1024 characters",
    ],
    ["a port out of range", ["--port", "65536"], key, `--port "65536": ${noPort}`],
    ["a port below zero", ["--port=-1"], key, `--port "-1": ${noPort}`],
    ["a port that is no integer", [], { ...key, PORT: "80.5" }, `PORT "80.5": ${noPort}`],
    ["an argument that is no port", ["eighty", "k"], {}, `first argument: ${noPort}`],
    ["a negative argument", ["-5", "k"], {}, `first argument: ${noPort}`],
    ["an empty argument", ["", "k"], {}, `first argument: ${noPort}`],
    ["two ports", ["1", "--port=2"], key, "the port is given twice: leave out --port or the first argument"],
    [
      "a third argument",
      ["1", "k", "x"],
      {},
      "more than two arguments: give <port> <admin-key>, a key with blanks in quotes",
    ],
    ["a flag twice", ["--host=::1", "-listen", "::1"], key, "-listen is given twice: give it once"],
    ["a flag at the end without its value", ["--data"], key, "--data has no value: add one"],
    ["a flag before a flag", ["--data", "--drain=1s"], key, "--data has no value: add one"],
    ["a flag before the end of flags", ["--data", "--", "1"], key, "--data has no value: add one"],
    ["an unknown flag", ["1", "--verbose"], key, "unknown flag --verbose: leave it out"],
    ["an unknown letter", ["1", "-x"], key, "unknown flag -x: leave it out"],
    ["a misspelt flag", ["--prot", "1"], key, "unknown flag --prot: did you mean --port?"],
    [
      "a flag with an underscore",
      ["--queue_max=1"],
      key,
      "unknown flag --queue_max: did you mean --queue-max?",
    ],
    ["a flag with one dash", ["-port", "1"], key, "unknown flag -port: did you mean --port?"],
    ["a flag for what has none", ["--admin-key=k"], key, "unknown flag --admin-key: leave it out"],
    [
      "a word for a time",
      ["--drain=soon"],
      key,
      '--drain "soon": give a time such as 500ms, 90s, 5m or 2h, from 0s to 1h',
    ],
    [
      "an unknown unit of time",
      ["--drain=1M"],
      key,
      '--drain "1M": give a time such as 500ms, 90s, 5m or 2h, from 0s to 1h',
    ],
    [
      "a negative time",
      ["--drain=-1s"],
      key,
      '--drain "-1s": give a time such as 500ms, 90s, 5m or 2h, from 0s to 1h',
    ],
    [
      "an unknown unit of size",
      ["--body-max=1TB"],
      key,
      '--body-max "1TB": give a size such as 512KB or 20MB, from 1KB to 512MB',
    ],
    [
      "a number that is none",
      ["--queue-max=0x10"],
      key,
      '--queue-max "0x10": give a number from 1 to 100000',
    ],
    ["another choice", ["--agents=all"], key, '--agents "all": give one of: keyed, open'],
    [
      "another level",
      [],
      { ...key, CHATGPT_API_LOG_LEVEL: "trace" },
      'CHATGPT_API_LOG_LEVEL "trace": give one of: debug, info, warn, error',
    ],
    [
      "an address with a port",
      ["--host=1.2.3.4:80"],
      key,
      '--host "1.2.3.4:80": give an IP address or a host name, without a port',
    ],
    [
      "an address cut short",
      ["--host=1.2.3"],
      key,
      '--host "1.2.3": give an IP address or a host name, without a port',
    ],
    [
      "an origin with a path",
      ["--agent-origins=https://a.example/b"],
      key,
      '--agent-origins "https://a.example/b": give web origins such as https://chatgpt.com, separated by commas, or none',
    ],
    [
      "a short agent key",
      ["--agent-key=short"],
      key,
      "--agent-key: give 8 to 256 characters out of letters, digits and - . _ ~",
    ],
    [
      "an agent key that breaks its address",
      [],
      { ...key, AGENT_KEY: "with/slash?" },
      "AGENT_KEY: give 8 to 256 characters out of letters, digits and - . _ ~",
    ],
    [
      "a short seal key",
      [],
      { ...key, CHATGPT_API_SEAL_KEY: "short" },
      "CHATGPT_API_SEAL_KEY: give 32 random characters or more, as `openssl rand -hex 32` prints",
    ],
  ])("%s", (_, args, env, line) => {
    expect(faults(args, env)).toEqual([line]);
  });
});

test("all faults are told at once, the command line's first and then in the order of the settings", () => {
  const args = ["port", "--bogus", "--drain", "later", "--agents=some", "key", "third", "--data"];
  const env = { CHATGPT_API_QUEUE_MAX: "many", AGENT_KEY: "short", ADMIN_KEY: "" };
  expect(faults(args, env).map((line) => line.split(":")[0])).toEqual([
    "unknown flag --bogus",
    "--data has no value",
    "more than two arguments",
    "first argument",
    "AGENT_KEY",
    '--agents "some"',
    'CHATGPT_API_QUEUE_MAX "many"',
    '--drain "later"',
  ]);
});

test("a misspelt flag takes its value along, so that nothing is said about that", () => {
  expect(faults(["--hots", "127.0.0.1", "8080", "key"])).toEqual([
    "unknown flag --hots: did you mean --host?",
  ]);
});

describe("no fault shows a secret", () => {
  const secret = "Zq7-Secret_x9";

  test.each<[string, readonly string[], Env]>([
    ["an admin key in the port's place", [secret, "8080"], {}],
    ["an admin key that begins with a dash", ["8080", `-${secret}`], {}],
    ["an admin key that looks like a flag", ["8080", `--${secret}`], {}],
    ["an admin key as a flag's value", ["8080", `--admin-key=${secret}`], {}],
    ["an admin key after a flag that is not", ["8080", "--admin-key", secret, "x"], {}],
    ["an admin key in pieces", ["8080", "a", secret], {}],
    ["an admin key with a control character", ["8080", `${secret}\u0007`], {}],
    ["an admin key in place of a path", ["8080"], { ADMIN_KEY_FILE: secret }],
    ["an admin key and its file", ["8080"], { ADMIN_KEY: secret, ADMIN_KEY_FILE: secret }],
    ["an agent key with a slash", ["8080", "k", "--agent-key", `${secret}/`], {}],
    ["an agent key twice", ["8080", "k", "--agent-key", secret, `--agent-key=${secret}`], {}],
    ["a seal key that is short", ["8080", "k"], { CHATGPT_API_SEAL_KEY: secret }],
  ])("%s", (_, args, env) => {
    const lines = faults(args, env);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join("\n")).not.toContain(secret);
  });
});
