import { describe, expect, test } from "bun:test";
import { readServerArgs } from "../../src/cli/args.ts";

type Env = Record<string, string>;

const read = (args: readonly string[], env: Env = {}) => readServerArgs({ args, env }).config;
const configOf = (args: readonly string[], env: Env = {}) => read(["8080", "key", ...args], env);
const faultOf = (args: readonly string[], env: Env = {}) => {
  try {
    configOf(args, env);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

describe("the built-in agent's settings", () => {
  test("a repeated flag adds up its names, each of them once", () => {
    const { models } = configOf(["--model", "a", "--model=b", "--model", "a"]);
    expect(models).toEqual(["a", "b"]);
    expect(Object.isFrozen(models)).toBe(true);
  });

  test("a switch takes no value after a blank, but one after an equals sign", () => {
    expect(read(["--echo", "8080", "key"])).toMatchObject({ echo: true, port: 8080, adminKey: "key" });
    expect(configOf(["--echo=no"], { CHATGPT_API_ECHO: "yes" }).echo).toBe(false);
    expect(faultOf(["--echo", "--echo"])).toBe("--echo is given twice. Give it once.");
  });

  test.each([
    ["localhost:11434", "http://localhost:11434"],
    ["https://api.example/v1/", "https://api.example/v1"],
    ["http://[::1]:8000/v1", "http://[::1]:8000/v1"],
  ])("the upstream %s is read as a base URL", (text, url) => {
    expect(configOf(["--upstream", text]).upstream).toBe(url);
  });

  test.each<[string[], string]>([
    [["--upstream=ftp://gpu"], '--upstream "ftp://gpu" is not valid. Give a base URL'],
    [["--upstream=http://gpu/v1?x=1"], '--upstream "http://gpu/v1?x=1" is not valid. Give a base URL'],
    [["--model=a,,b"], '--model "a,,b" is not valid. Give 1 to 256 characters for each name.'],
    [["--echo=maybe"], '--echo "maybe" is not valid. Give yes or no, or the flag alone.'],
    [["--upstream-key=with blank"], "--upstream-key is not valid. Give printable ASCII characters"],
  ])("the arguments %j are refused", (args, message) => {
    expect(faultOf(args)).toStartWith(message);
  });

  test("a password in an upstream's address is refused, and not repeated", () => {
    const fault = faultOf(["--upstream", "http://user:hunter2@gpu:8000/v1"]);
    expect(fault).toContain("without a user, a password or a query");
    expect(fault).not.toMatch(/user:|hunter2/);
  });
});
