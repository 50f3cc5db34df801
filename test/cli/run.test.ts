import { describe, expect, test } from "bun:test";
import manifest from "../../package.json";
import { COMMANDS } from "../../src/cli/commands.ts";
import { run } from "../../src/cli/run.ts";
import { flagOf, SETTING_NAMES, SETTINGS, variablesOf } from "../../src/config/read.ts";
import { recordedIo } from "./io.ts";

async function call(args: readonly string[], env: Record<string, string> = {}) {
  const io = recordedIo(env);
  const code = await run(args, io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

describe("help", () => {
  test.each([[["--help"]], [["-h"]], [["help"]], [["8080", "key", "--help"]], [["help", "--help"]]])(
    "%j prints it on standard output, exit code 0",
    async (args) => {
      const { code, stdout, stderr } = await call(args);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toStartWith(`chatgpt-api-server ${manifest.version}: `);
    },
  );

  test("has every flag with its default, every secret's variable, and every command", async () => {
    const { stdout } = await call(["--help"]);
    for (const name of SETTING_NAMES) {
      const flag = flagOf(name);
      const { default: byDefault, absent } = SETTINGS[name];
      if (flag)
        expect(stdout.replace(/\n {10,}/g, " ")).toMatch(
          new RegExp(`${flag} .*\\(${byDefault ?? absent}\\)`),
        );
      else expect(stdout).toContain(`${variablesOf(name).at(-1)} `);
    }
    for (const { usage } of Object.values(COMMANDS)) expect(stdout).toContain(`  ${usage[0]} `);
  });

  test("is at most 100 characters wide, of each command too", async () => {
    for (const args of [["--help"], ...Object.keys(COMMANDS).map((name) => ["help", name])]) {
      const { stdout } = await call(args);
      expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
    }
  });

  test("of one command has that command's flags and no other", async () => {
    for (const args of [
      ["help", "health"],
      ["health", "--help"],
      ["health", "-h", "x"],
    ]) {
      const { code, stdout } = await call(args);
      expect(code).toBe(0);
      expect(stdout.match(/^ +--[a-z-]+/gm)?.map((flag) => flag.trim())).toEqual([
        "--port",
        "--host",
        "--tls-cert",
      ]);
      expect(stdout).toContain("chatgpt-api-server health [<url>]");
    }
  });

  test("of what is no command is a fault", async () => {
    expect((await call(["help", "nothing"])).code).toBe(2);
    expect((await call(["help", "health", "config"])).code).toBe(2);
  });
});

describe("version", () => {
  test.each([[["--version"]], [["-v"]], [["version"]], [["serve", "--version"]]])(
    "%j prints it",
    async (args) => {
      expect(await call(args)).toEqual({
        code: 0,
        stdout: `chatgpt-api-server ${manifest.version}\n`,
        stderr: "",
      });
    },
  );
});

describe("faults", () => {
  test("are lines with the program's name, a pointer to the help, and exit code 2", async () => {
    expect(await call(["config", "--drain", "x"])).toEqual({
      code: 2,
      stdout: "",
      stderr: `chatgpt-api-server: no admin key: give it as the second argument, or in ADMIN_KEY or ADMIN_KEY_FILE
chatgpt-api-server: --drain "x": give a time such as 500ms, 90s, 5m or 2h, from 0s to 1h
chatgpt-api-server: see chatgpt-api-server --help
`,
    });
  });

  test("without a command are those of serving", async () => {
    for (const args of [[], ["serve"], ["8080"], ["--", "--help"]]) {
      const { code, stderr } = await call(args);
      expect(code).toBe(2);
      expect(stderr).toContain("no admin key");
    }
  });

  test("suggest the command that was meant", async () => {
    expect((await call(["heath"])).stderr).toContain("unknown command: did you mean health?");
  });

  test("do not repeat a word that could be a key", async () => {
    const { code, stderr } = await call(["S3cret", "8080"]);
    expect(code).toBe(2);
    expect(stderr).not.toContain("S3cret");
  });

  test("nobody foresaw are one line with exit code 1, and the place only on request", async () => {
    const env = { ADMIN_KEY: "key" };
    const failing = (more: Record<string, string>) => {
      const io = recordedIo({ ...env, ...more });
      let err = "";
      const throwing = {
        ...io,
        out: () => {
          throw new Error("disk on fire\nand more");
        },
        err: (text: string) => {
          err += text;
        },
      };
      return run(["config"], throwing).then((code) => ({ code, err }));
    };
    expect(await failing({})).toEqual({
      code: 1,
      err: "chatgpt-api-server: unexpected error: disk on fire and more\n",
    });
    expect((await failing({ CHATGPT_API_LOG_LEVEL: "debug" })).err).toMatch(/run\.test\.ts/);
  });
});
