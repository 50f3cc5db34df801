import { describe, expect, test } from "bun:test";
import manifest from "../../package.json";
import { COMMANDS } from "../../src/cli/commands.ts";
import { run } from "../../src/cli/run.ts";
import { defaultText } from "../../src/config/setting.ts";
import { flagOf, SETTING_NAMES, SETTINGS, variablesOf } from "../../src/config/settings.ts";
import { recordedTerminal } from "./terminal.ts";

async function call(args: readonly string[], env: Record<string, string> = {}) {
  const io = recordedTerminal(env);
  const code = await run(args, io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

describe("help", () => {
  test.each([[["--help"]], [["-h"]], [["help"]], [["8080", "key", "--help"]], [["help", "--help"]]])(
    "the arguments %j print the help on standard output, with exit code 0",
    async (args) => {
      const { code, stdout, stderr } = await call(args);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toStartWith(`chatgpt-api-server ${manifest.version}: `);
    },
  );

  test("the help has every flag with its default, every secret's variable, and every command", async () => {
    const { stdout } = await call(["--help"]);
    for (const name of SETTING_NAMES) {
      const flag = flagOf(name);
      const shown = defaultText(SETTINGS[name]);
      if (flag) expect(stdout.replace(/\n {10,}/g, " ")).toMatch(new RegExp(`${flag} .*\\(${shown}\\)`));
      else expect(stdout).toContain(`${variablesOf(name).at(-1)} `);
    }
    for (const [name, { usage }] of Object.entries(COMMANDS))
      expect(stdout).toContain(usage.length > 1 ? `  ${name} <subcommand> ` : `  ${shortened(usage[0])} `);
  });

  /** Only the help of a command itself lists the programs that it knows. */
  const shortened = (usage = "") => usage.replace(/^client \S+/, "client <program>");

  test("the help, and that of each command, is at most 100 characters wide", async () => {
    for (const args of [["--help"], ...Object.keys(COMMANDS).map((name) => ["help", name])]) {
      const { stdout } = await call(args);
      expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
    }
  });

  test("the help of a command has the flags of that command only", async () => {
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
        "--domain",
      ]);
      expect(stdout).toContain("chatgpt-api-server health [<url>]");
    }
  });

  test("the help of a command has the secrets that it reads from the environment only", async () => {
    for (const name of ["users", "backup", "restore"])
      expect((await call(["help", name])).stdout).toMatch(/^ +CHATGPT_API_SEAL_KEY /m);
    expect((await call(["help", "health"])).stdout).not.toContain("Secrets in the environment");
  });

  test("help refuses a word that is not a command, and a second word", async () => {
    expect((await call(["help", "nothing"])).code).toBe(2);
    expect((await call(["help", "health", "config"])).code).toBe(2);
  });
});

describe("version", () => {
  test.each([[["--version"]], [["-v"]], [["version"]], [["serve", "--version"]]])(
    "the arguments %j print the version",
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
  test("each fault is a line with the program's name, followed by a pointer to the help, with exit code 2", async () => {
    expect(await call(["config", "--drain", "x"])).toEqual({
      code: 2,
      stdout: "",
      stderr: `chatgpt-api-server: The admin key is missing. Give it as the second argument, or set ADMIN_KEY or ADMIN_KEY_FILE.
chatgpt-api-server: --drain "x" is not valid. Give a time such as 500ms, 90s, 5m or 2h, from 0s to 1h.
Run chatgpt-api-server help config to see the usage.
`,
    });
  });

  test("without a command the faults are those of serve", async () => {
    for (const args of [[], ["serve"], ["8080"], ["--", "--help"]]) {
      const { code, stderr } = await call(args);
      expect(code).toBe(2);
      expect(stderr).toContain("The admin key is missing");
    }
  });

  test("a misspelled command gets a suggestion", async () => {
    expect((await call(["heath"])).stderr).toContain(
      "Unknown command. Did you mean health?\nRun chatgpt-api-server --help to see the usage.\n",
    );
  });

  test("a fault does not repeat a word that could be a key", async () => {
    const { code, stderr } = await call(["S3cret", "8080"]);
    expect(code).toBe(2);
    expect(stderr).not.toContain("S3cret");
  });

  test("an unexpected error is one line with exit code 1, and its stack is shown only at log level debug", async () => {
    const env = { ADMIN_KEY: "key" };
    const failing = (more: Record<string, string>) => {
      const io = recordedTerminal({ ...env, ...more });
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
      err: "chatgpt-api-server: Unexpected error: disk on fire and more\n",
    });
    expect((await failing({ CHATGPT_API_LOG_LEVEL: "debug" })).err).toMatch(/run\.test\.ts/);
  });
});
