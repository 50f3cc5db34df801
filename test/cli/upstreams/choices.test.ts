import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readArgs } from "../../../src/cli/args.ts";
import { agentName } from "../../../src/cli/builtin-agent.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { chooseUpstreams, refuseServer } from "../../../src/cli/upstreams/choices.ts";
import { type AgentFile, givenAgentFile } from "../../../src/cli/upstreams/config-file.ts";
import { GivenSettings } from "../../../src/config/read.ts";
import { tempFolder } from "../../support/store.ts";

/** Returns the upstreams that a command line, an environment, and a file together choose. */
function choose(
  args: readonly string[],
  { env = {}, toml }: { env?: Record<string, string>; toml?: string } = {},
) {
  const given = new GivenSettings();
  const path = join(tempFolder(), "agent.toml");
  if (toml !== undefined) writeFileSync(path, toml, { mode: 0o600 });
  let file: AgentFile | undefined;
  const { settings } = readArgs(
    { args: [...args, ...(toml === undefined ? [] : ["--config", path])], env, given },
    {
      ...COMMANDS.agent,
      inFile: ({ config }) => {
        file = givenAgentFile(config, env);
        return file?.texts ?? [];
      },
    },
  );
  return chooseUpstreams({ settings, given, tables: file?.upstreams ?? [] });
}

const faultOf = (...given: Parameters<typeof choose>) => {
  try {
    choose(...given);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

const TWO = ["--upstream", "http://a:1", "--upstream", "http://b:2"];

describe("upstreams by flags", () => {
  test("one upstream is as it always was: any chosen model is offered, and the agent has the plain name", () => {
    const args = ["--upstream", "http://a:1", "--upstream-key", "k,1", "--model", "m", "--slots", "3"];
    expect(choose(args)).toEqual([
      {
        ...{ url: "http://a:1", key: "k,1", label: undefined, slots: 3, models: ["m"], onlyListed: false },
        ...{ endpoints: [], priority: 0, weight: 1, tags: undefined },
      },
    ]);
  });

  test("several upstreams have keys and slots in their order, and offer the chosen models that they list", () => {
    const args = [
      ...TWO,
      "--upstream-key",
      "k1",
      "--upstream-key",
      "none",
      "--slots=2",
      "--slots=auto",
      "--model=m",
    ];
    expect(choose(args)).toMatchObject([
      { url: "http://a:1", key: "k1", label: "a:1", slots: 2, models: ["m"], onlyListed: true },
      { url: "http://b:2", key: undefined, label: "b:2", slots: "auto", models: ["m"], onlyListed: true },
    ]);
  });

  test("a single number of slots is that of each upstream", () => {
    expect(choose([...TWO, "--slots", "5"]).map(({ slots }) => slots)).toEqual([5, 5]);
  });

  test("the environment has lists by commas, and keys by lines", () => {
    const env = { CHATGPT_API_UPSTREAM: "a:1, b:2", UPSTREAM_KEY: "k1\nk2", CHATGPT_API_SLOTS: "1,2" };
    expect(choose([], { env })).toMatchObject([
      { url: "http://a:1", key: "k1", slots: 1 },
      { url: "http://b:2", key: "k2", slots: 2 },
    ]);
  });

  test("upstreams at one host and port have labels of their own", () => {
    const args = [
      "--upstream",
      "http://a:1/x/v1",
      "--upstream",
      "http://a:1/y/v1",
      "--upstream",
      "https://a",
    ];
    expect(choose(args).map(({ label }) => label)).toEqual(["a:1", "a:1#2", "a"]);
  });

  test.each<[string[], string]>([
    [["--upstream", "http://a", "--upstream", "http://a/"], "Give each base URL once."],
    [
      ["--upstream", "http://localhost:1", "--upstream", "http://127.0.0.1:1/v1"],
      "The upstream http://127.0.0.1:1/v1 is given twice.",
    ],
    [[...TWO, "--upstream-key", "k1"], "--upstream-key has 1 key, and there are 2 upstreams."],
    [
      ["--upstream-key", "k1", "--upstream-key", "k2"],
      "--upstream-key has 2 keys, and there are 0 upstreams.",
    ],
    [[...TWO, "--slots", "1,2,3"], "--slots has 3 numbers, and there are 2 upstreams."],
    [[...TWO, "--slots", "200,41"], "The slots of all upstreams together are more than 240"],
    [[...TWO, "--slots", "1,x"], '--slots "1,x" is not valid. Give a number from 1 to 240, or auto.'],
    [[...TWO, "--echo"], "--echo and --upstream exclude each other."],
    [[...Array(17).keys()].flatMap((n) => ["--upstream", `http://a:${n + 1}`]), "Give at most 16 base URLs."],
  ])("the flags %j are refused", (args, message) => {
    expect(faultOf(args)).toContain(message);
  });

  test("no fault repeats a key", () => {
    expect(faultOf([...TWO, "--upstream-key", "secret-key-0123"])).not.toContain("secret-key-0123");
  });

  test("the server itself is refused wherever it stands in the list", () => {
    const server = "ws://localhost:2/client/register";
    const at = (...urls: string[]) => urls.map((url) => ({ url }));
    expect(() => refuseServer(at("http://a:1", "http://127.0.0.1:2/v1"), server)).toThrow(
      "names the server itself",
    );
    expect(() => refuseServer(at("http://a:1", "http://127.0.0.1:3/v1"), server)).not.toThrow();
  });
});

describe("upstreams in a file", () => {
  const toml = `
priority = 5
slots = 4
upstream-key = ["common-1", "common-2", "none"]

[[upstreams]]
url = "localhost:11434"

[[upstreams]]
name = "gpu"
url = "http://gpu:8000/v1"
key = "own"
slots = 16
models = ["a", "b"]

[[upstreams]]
url = "https://api.example.com/v1"
priority = -10
weight = 0.5
tags = ["paid"]
endpoints = ["chat/completions"]
`;

  test("each table has its own values, and otherwise those of the whole file", () => {
    expect(choose([], { toml })).toEqual([
      {
        ...{ url: "http://localhost:11434", key: "common-1", label: "localhost:11434", slots: 4, models: [] },
        ...{ onlyListed: false, endpoints: [], priority: 5, weight: 1, tags: undefined },
      },
      {
        ...{ url: "http://gpu:8000/v1", key: "own", label: "gpu", slots: 16, models: ["a", "b"] },
        ...{ onlyListed: false, endpoints: [], priority: 5, weight: 1, tags: undefined },
      },
      {
        ...{
          url: "https://api.example.com/v1",
          key: undefined,
          label: "api.example.com",
          slots: 4,
          models: [],
        },
        ...{ onlyListed: false, endpoints: ["chat/completions"], priority: -10, weight: 0.5, tags: ["paid"] },
      },
    ]);
  });

  test("flags win over the environment, and the environment over the file with its tables", () => {
    const env = { CHATGPT_API_SLOTS: "2", CHATGPT_API_PRIORITY: "7" };
    const chosen = choose(["--priority", "8", "--model", "m"], { env, toml });
    expect(chosen.map(({ slots }) => slots)).toEqual([2, 2, 2]);
    expect(chosen.map(({ priority }) => priority)).toEqual([8, 8, 8]);
    expect(chosen.map(({ models }) => models)).toEqual([["m"], ["m"], ["m"]]);
    const one = choose(["--upstream", "http://other:1", "--upstream-key", "k"], { toml });
    expect(one).toMatchObject([{ url: "http://other:1", key: "k", label: undefined }]);
  });

  test("a key in the file is not sent to an upstream that a flag names", () => {
    const file = 'upstream = "https://api.example.com"\nupstream-key = "k"\n';
    expect(choose([], { toml: file })[0]?.key).toBe("k");
    expect(choose(["--upstream", "http://other:1"], { toml: file })[0]?.key).toBeUndefined();
  });

  test("a value that does not fit its setting is refused with its name and the file", () => {
    const fault = faultOf([], { toml: 'slots = "many"\ndrain = "a while"\n' });
    expect(fault).toMatch(
      /^slots in \S+agent\.toml "many" is not valid\. Give a number from 1 to 240, or auto\.$/m,
    );
    expect(fault).toMatch(/^drain in \S+agent\.toml "a while" is not valid\. Give a time/m);
  });

  test("one upstream with a name of its own shows it, and one without has the plain name of the agent", () => {
    const one = '[[upstreams]]\nurl = "http://a:1"\n';
    expect(choose([], { toml: one })[0]?.label).toBeUndefined();
    expect(choose([], { toml: `${one}name = "gpu"\n` })[0]?.label).toBe("gpu");
  });

  test("a file may have one list of upstreams, in one way", () => {
    const both = 'upstream = "http://a"\n[[upstreams]]\nurl = "http://b"\n';
    expect(faultOf([], { toml: both })).toContain("has both upstream and upstreams");
    expect(choose([], { toml: 'upstream = ["http://a", "http://b"]' })).toHaveLength(2);
  });
});

test("the name of an agent ends with that of its upstream, and is never too long for the server", () => {
  expect(agentName({ name: "desk" })).toBe("desk");
  expect(agentName({ name: "desk" }, "gpu:8000")).toBe("desk/gpu:8000");
  expect(agentName({ name: "d".repeat(256) }, "ollama")).toMatch(/^d{249}\/ollama$/);
  expect(agentName({ name: "desk" }, "l".repeat(256))).toHaveLength(256);
});
