import { describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAgentFile } from "../../../src/cli/upstreams/config-file.ts";
import { tempFolder } from "../../support/store.ts";

const IS_UNIX = process.platform !== "win32";

function write(text: string, mode = 0o600, name = "agent.toml"): string {
  const path = join(tempFolder(), name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const read = (text: string, mode?: number) => readAgentFile(write(text, mode));
/** Returns the lines of the fault, each without the path of the file. */
function faultsOf(text: string, mode?: number): string[] {
  const path = write(text, mode);
  try {
    readAgentFile(path);
  } catch (error) {
    expect((error as { exitCode?: number }).exitCode).toBe(2);
    return (error as Error).message.split("\n").map((line) => line.replaceAll(path, "FILE"));
  }
  return [];
}

describe("the configuration file of an agent", () => {
  const TOML = `
# The agent of the desk.
server = "https://chat.example.com"
name = "desk"
log_level = "debug"
drain = 90
echo = false
tags = ["home", "gpu"]

[[upstreams]]
url = "http://localhost:11434"
slots = 2
`;
  const JSON_TEXT = `{
  // The agent of the desk.
  "server": "https://chat.example.com", "name": "desk", "log-level": "debug", "drain": 90, "echo": false,
  "tag": ["home", "gpu"],
  "upstreams": [{ "url": "http://localhost:11434", "slots": "2" }],
}`;

  test.each([
    ["TOML", TOML],
    ["JSON", JSON_TEXT],
  ])("a file in %s has the settings by the names of their flags", (_, text) => {
    const { server, texts, upstreams } = read(text);
    expect(server).toBe("https://chat.example.com");
    const values = [...texts].map(([name, given]) => [name, given.text, given.isInFile]);
    expect(Object.fromEntries(values.map(([name, value]) => [name, value]))).toEqual({
      name: "desk",
      logLevel: "debug",
      drainMs: "90",
      echo: "no",
      tags: "home,gpu",
    });
    expect(values.every(([, , isInFile]) => isInFile)).toBe(true);
    expect(upstreams).toEqual([{ url: "http://localhost:11434", slots: 2 }]);
  });

  test("a fault names its place, and what to do", () => {
    const text = `
slots = "many"
nmae = "desk"
log-level = { a = 1 }
[[upstreams]]
url = "ftp://gpu"
slots = 0
[[upstreams]]
url = "http://a"
endpoints = ["images"]
weigth = 2
`;
    expect(faultsOf(text)).toEqual([
      "FILE: upstreams[0].url: Give a base URL such as http://localhost:11434/v1, without a user, a password or a query.",
      "FILE: upstreams[0].slots: Give a number from 1 to 240, or auto.",
      expect.stringMatching(/^FILE: upstreams\[1\]\.endpoint\[0\]: Give some of: chat\/completions, /),
      "FILE: upstreams[1].weigth: There is no such setting. Did you mean weight?",
      "FILE: log-level: Give a text, a number, or true or false.",
      "FILE: nmae: There is no such setting. Did you mean name?",
    ]);
  });

  test.each<[string, string, string]>([
    ["an upstream without a URL", "[[upstreams]]\nslots = 1", "FILE: upstreams[0].url: Give the base URL"],
    ["upstreams that are no tables", 'upstreams = ["http://a"]', "FILE: upstreams[0]: "],
    [
      "a single table",
      '[upstreams]\nurl = "http://a"',
      "FILE: upstreams: Give tables: begin each with [[upstreams]].",
    ],
    [
      "two URLs in one table",
      '[[upstreams]]\nurl = "http://a,http://b"',
      "FILE: upstreams[0].url: Give one base URL.",
    ],
    ["a setting twice", 'model = "a"\nmodels = ["b"]', "FILE: model is given twice."],
    ["no table at the top", "7", "FILE, line 1: This is not TOML"],
    ["a setting of the server only", "port = 8080", "FILE: port: There is no such setting."],
    ["a name of JavaScript", "__proto__ = 1", "FILE: --proto--: There is no such setting."],
    ["another name of JavaScript", "constructor = 1", "FILE: constructor: There is no such setting."],
    [
      "TOML that breaks off",
      'name = "desk"\nslots = 2\nmodel = ["a",\n  "b"\n',
      "FILE, line 3: This is not TOML",
    ],
    ["TOML without quotes", "name = desk\n", "FILE, line 1: This is not TOML"],
    [
      "JSON with a fault",
      '{\n  "name": "desk",\n  "slots" 2\n}',
      "FILE, line 3: This is not JSON (ColonExpected).",
    ],
    [
      "too many upstreams",
      '[[upstreams]]\nurl = "http://a"\n'.repeat(17),
      "FILE: upstreams: Give at most 16.",
    ],
    ["a file that is too long", `name = "${"n".repeat(70_000)}"`, "FILE is too long. Give at most 64 KB."],
  ])("%s is refused", (_, text, fault) => {
    expect(faultsOf(text).join("\n")).toContain(fault);
  });

  test("a file that is missing is named", () => {
    expect(() => readAgentFile("/nowhere/agent.toml")).toThrow(
      "The configuration file /nowhere/agent.toml cannot be read. It does not exist. Check the path.",
    );
  });

  test.if(process.platform !== "win32")("a device without end is too long", () => {
    expect(() => readAgentFile("/dev/zero")).toThrow("/dev/zero is too long. Give at most 64 KB.");
  });

  test("no fault repeats a key", () => {
    const texts = [
      'agent-key = "secret-key-0123 with blanks"\nnope = 1',
      '[[upstreams]]\nurl = "http://a"\nkey = "secret-key-0123 with blanks"',
      'agent-key = "secret-key-0123\nname = "x"',
      '{ "agent-key": secret-key-0123 }',
      "agent-key = secret-key-0123",
      "agent-key = [secret-key-0123",
      'server = "http://user:secret-key-0123@host"',
    ];
    for (const text of texts) {
      const faults = faultsOf(text).join("\n");
      expect([text, faults === ""]).toEqual([text, false]);
      expect(faults).not.toContain("secret-key-0123");
    }
  });
});

describe("keys in the configuration file", () => {
  test("keys may be in files, by paths that begin at the folder of the configuration file", () => {
    const path = write(
      'agent-key-file = "a.key"\n[[upstreams]]\nurl = "http://a"\nkey_file = "b.key"\n[[upstreams]]\nurl = "http://b"\nkey = "own"\n',
    );
    writeFileSync(join(path, "..", "a.key"), "agent-key-of-file\n");
    writeFileSync(join(path, "..", "b.key"), "upstream-key-of-file\r\n");
    const { texts, upstreams, portable } = readAgentFile(path);
    expect(texts.get("agentKey")?.text).toBe("agent-key-of-file");
    expect(upstreams).toEqual([
      { url: "http://a", key: "upstream-key-of-file" },
      { url: "http://b", key: "own" },
    ]);
    expect(JSON.parse(portable)).toEqual({
      "agent-key": "agent-key-of-file",
      upstreams: [
        { url: "http://a", key: "upstream-key-of-file" },
        { url: "http://b", key: "own" },
      ],
    });
  });

  test("the portable form reads as the same settings", () => {
    const text =
      'name = "desk"\ndata = "/tmp"\nslots = [1, 2]\n[[upstreams]]\nurl = "a:1"\nmodels = ["m", "n"]\ntags = "x"\n';
    const first = read(text);
    const second = read(first.portable);
    expect(second.upstreams).toEqual(first.upstreams);
    const plain = ({ texts }: typeof first) => [...texts].map(([name, given]) => [name, given.text]);
    expect(plain(second)).toEqual(plain(first).filter(([name]) => name !== "data"));
    expect(second.portable).toBe(first.portable);
  });

  test.each([
    [
      "both a key and its file",
      'key = "k"\nkey-file = "b.key"',
      "upstreams[0].key and upstreams[0].key-file are both there.",
    ],
    ["a key file that is missing", 'key-file = "missing.key"', "The file of upstreams[0].key-file,"],
    ["a key file of several lines", 'key-file = "agent.toml"', "upstreams[0].key-file: Its file has no key."],
  ])("%s is refused", (_, line, fault) => {
    expect(faultsOf(`[[upstreams]]\nurl = "http://a"\n${line}\n`).join("\n")).toContain(fault);
  });

  test
    .if(IS_UNIX)
    .each([
      'agent-key = "agent-key-0123"',
      'upstream-key = "k"',
      'server = "localhost:8080/agents/agent-key-0123"',
      '[[upstreams]]\nurl = "http://a"\nkey = "k"',
    ])("a file with a key is refused if everybody may read it: %s", (text) => {
    expect(faultsOf(text, 0o644)).toEqual([expect.stringContaining("Run chmod 600 on it")]);
    expect(faultsOf(text, 0o640)).toEqual([]);
  });

  test.if(IS_UNIX)("a file without a key may be read by everybody", () => {
    expect(read('server = "localhost"\n[[upstreams]]\nurl = "http://a"', 0o644).upstreams).toHaveLength(1);
  });
});
