import { describe, expect, test } from "bun:test";
import { readServerArgs } from "../../src/cli/args.ts";
import { CommandError } from "../../src/errors.ts";

type Env = Record<string, string | undefined>;

function faults(args: readonly string[], env: Env = {}): string[] {
  try {
    readServerArgs({ args, env });
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    expect((error as CommandError).exitCode).toBe(2);
    return (error as CommandError).message.split("\n");
  }
  return [];
}

const HINT = "Give it as the second argument, or set ADMIN_KEY or ADMIN_KEY_FILE.";

describe("each fault is reported with what to do", () => {
  const key = { ADMIN_KEY: "k" };
  const notValid = "is not valid. Give a port from 0 to 65535.";

  test.each<[string, readonly string[], Env, string]>([
    ["no admin key", ["8080"], {}, `The admin key is missing. ${HINT}`],
    [
      "an empty key as argument",
      ["8080", ""],
      key,
      `The second argument is not valid. The admin key is empty. ${HINT}`,
    ],
    [
      "an empty key in a variable",
      ["8080"],
      { ADMIN_KEY: "" },
      `ADMIN_KEY is not valid. The admin key is empty. ${HINT}`,
    ],
    [
      "a blank key",
      ["1", " "],
      {},
      "The second argument is not valid. Remove its control characters, and blanks at its ends.",
    ],
    [
      "a key with a line break",
      [],
      { ADMIN_KEY: "a\nb" },
      "ADMIN_KEY is not valid. Remove its control characters, and blanks at its ends.",
    ],
    [
      "a key that is too long",
      ["1", "k".repeat(1025)],
      {},
      "The second argument is not valid. Give at most 1024 characters.",
    ],
    ["a port out of range", ["--port", "65536"], key, `--port "65536" ${notValid}`],
    ["a port below zero", ["--port=-1"], key, `--port "-1" ${notValid}`],
    ["a port that is not an integer", [], { ...key, PORT: "80.5" }, `PORT "80.5" ${notValid}`],
    ["an argument that is not a port", ["eighty", "k"], {}, `The first argument ${notValid}`],
    ["a negative argument", ["-5", "k"], {}, `The first argument ${notValid}`],
    ["an empty argument", ["", "k"], {}, `The first argument ${notValid}`],
    ["two ports", ["1", "--port=2"], key, "The port is given twice. Leave out --port or the first argument."],
    [
      "a third argument",
      ["1", "k", "x"],
      {},
      "There are more than two arguments. Give <port> <admin-key>, with quotes around a key that has blanks.",
    ],
    ["a flag twice", ["--host=::1", "-listen", "::1"], key, "-listen is given twice. Give it once."],
    ["a flag at the end without its value", ["--data"], key, "--data has no value. Add one."],
    ["a flag before a flag", ["--data", "--drain=1s"], key, "--data has no value. Add one."],
    ["a flag before the end of flags", ["--data", "--", "1"], key, "--data has no value. Add one."],
    ["an unknown flag", ["1", "--verbose"], key, "Unknown flag --verbose. Leave it out."],
    ["an unknown letter", ["1", "-x"], key, "Unknown flag -x. Leave it out."],
    ["a misspelled flag", ["--prot", "1"], key, "Unknown flag --prot. Did you mean --port?"],
    [
      "a flag with an underscore",
      ["--queue_max=1"],
      key,
      "Unknown flag --queue_max. Did you mean --queue-max?",
    ],
    ["a flag with one dash", ["-port", "1"], key, "Unknown flag -port. Did you mean --port?"],
    ["a flag for a setting without one", ["--admin-key=k"], key, "Unknown flag --admin-key. Leave it out."],
    [
      "a word for a time",
      ["--drain=soon"],
      key,
      '--drain "soon" is not valid. Give a time such as 500ms, 90s, 5m or 2h, from 0s to 1h.',
    ],
    [
      "an unknown unit of time",
      ["--drain=1M"],
      key,
      '--drain "1M" is not valid. Give a time such as 500ms, 90s, 5m or 2h, from 0s to 1h.',
    ],
    [
      "a negative time",
      ["--drain=-1s"],
      key,
      '--drain "-1s" is not valid. Give a time such as 500ms, 90s, 5m or 2h, from 0s to 1h.',
    ],
    [
      "an unknown unit of size",
      ["--body-max=1TB"],
      key,
      '--body-max "1TB" is not valid. Give a size such as 512KB or 20MB, from 1KB to 512MB.',
    ],
    [
      "a hexadecimal number",
      ["--queue-max=0x10"],
      key,
      '--queue-max "0x10" is not valid. Give a number from 1 to 100000.',
    ],
    [
      "a value that is not a choice",
      ["--agents=all"],
      key,
      '--agents "all" is not valid. Give one of: keyed, local, open.',
    ],
    [
      "an unknown log level",
      [],
      { ...key, CHATGPT_API_LOG_LEVEL: "trace" },
      'CHATGPT_API_LOG_LEVEL "trace" is not valid. Give one of: debug, info, warn, error.',
    ],
    [
      "an address with a port",
      ["--host=1.2.3.4:80"],
      key,
      '--host "1.2.3.4:80" is not valid. Give an IP address or a host name, without a port.',
    ],
    [
      "an address cut short",
      ["--host=1.2.3"],
      key,
      '--host "1.2.3" is not valid. Give an IP address or a host name, without a port.',
    ],
    [
      "an origin with a path",
      ["--agent-origins=https://a.example/b"],
      key,
      '--agent-origins "https://a.example/b" is not valid. Give web origins such as https://chatgpt.com, separated by commas, or none.',
    ],
    [
      "a short agent key",
      ["--agent-key=short"],
      key,
      "--agent-key is not valid. Give 8 to 256 characters: letters, digits, and - . _ ~",
    ],
    [
      "an agent key that would break its address",
      [],
      { ...key, AGENT_KEY: "with/slash?" },
      "AGENT_KEY is not valid. Give 8 to 256 characters: letters, digits, and - . _ ~",
    ],
    [
      "a short seal key",
      [],
      { ...key, CHATGPT_API_SEAL_KEY: "short" },
      "CHATGPT_API_SEAL_KEY is not valid. Give 32 random characters or more, such as `openssl rand -hex 32` prints.",
    ],
  ])("the command line is refused with advice for %s", (_, args, env, line) => {
    expect(faults(args, env)).toEqual([line]);
  });
});

test("all faults are reported at once, those of the command line first, then in the order of the settings", () => {
  const args = ["port", "--bogus", "--drain", "later", "--agents=some", "key", "third", "--data"];
  const env = { CHATGPT_API_QUEUE_MAX: "many", AGENT_KEY: "short", ADMIN_KEY: "" };
  expect(faults(args, env).map((line) => line.split(".")[0])).toEqual([
    "Unknown flag --bogus",
    "--data has no value",
    "There are more than two arguments",
    "The first argument is not valid",
    "AGENT_KEY is not valid",
    '--agents "some" is not valid',
    'CHATGPT_API_QUEUE_MAX "many" is not valid',
    '--drain "later" is not valid',
  ]);
});

test("the value of a misspelled flag is not reported as another fault", () => {
  expect(faults(["--hots", "127.0.0.1", "8080", "key"])).toEqual([
    "Unknown flag --hots. Did you mean --host?",
  ]);
});

describe("secrets", () => {
  const secret = "Zq7-Secret_x9";

  test.each<[string, readonly string[], Env]>([
    ["an admin key in the port's place", [secret, "8080"], {}],
    ["an admin key that begins with a dash", ["8080", `-${secret}`], {}],
    ["an admin key that looks like a flag", ["8080", `--${secret}`], {}],
    ["an admin key as a flag's value", ["8080", `--admin-key=${secret}`], {}],
    ["an admin key after a flag that does not exist", ["8080", "--admin-key", secret, "x"], {}],
    ["an admin key in pieces", ["8080", "a", secret], {}],
    ["an admin key with a control character", ["8080", `${secret}\u0007`], {}],
    ["an admin key in place of a path", ["8080"], { ADMIN_KEY_FILE: secret }],
    ["an admin key and its file", ["8080"], { ADMIN_KEY: secret, ADMIN_KEY_FILE: secret }],
    ["an agent key with a slash", ["8080", "k", "--agent-key", `${secret}/`], {}],
    ["an agent key twice", ["8080", "k", "--agent-key", secret, `--agent-key=${secret}`], {}],
    ["a short seal key", ["8080", "k"], { CHATGPT_API_SEAL_KEY: secret }],
  ])("no fault shows %s", (_, args, env) => {
    const lines = faults(args, env);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join("\n")).not.toContain(secret);
  });
});
