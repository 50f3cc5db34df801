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

  test("a priority may be negative, after a blank or an equals sign", () => {
    expect(configOf(["--priority", "-5"]).priority).toBe(-5);
    expect(configOf(["--priority=-1000"]).priority).toBe(-1000);
    expect(configOf(["--priority=1000"]).priority).toBe(1000);
  });

  test.each([
    ["localhost:11434", "http://localhost:11434"],
    ["https://api.example/v1/", "https://api.example/v1"],
    ["http://[::1]:8000/v1", "http://[::1]:8000/v1"],
  ])("the upstream %s is read as a base URL", (text, url) => {
    expect(configOf(["--upstream", text]).upstreams).toEqual([url]);
  });

  test.each<[string[], string]>([
    [["--upstream=ftp://gpu"], '--upstream "ftp://gpu" is not valid. Give a base URL'],
    [["--upstream=http://gpu/v1?x=1"], '--upstream "http://gpu/v1?x=1" is not valid. Give a base URL'],
    [["--model=a,,b"], '--model "a,,b" is not valid. Give 1 to 256 characters for each name.'],
    [["--priority=1001"], '--priority "1001" is not valid.'],
    [["--priority=-1001"], '--priority "-1001" is not valid.'],
    [["--priority=1.5"], '--priority "1.5" is not valid. Give a whole number from -1000 to 1000.'],
    [["--weight=0"], '--weight "0" is not valid. Give a number above 0, at most 1000.'],
    [["--weight=1e2"], '--weight "1e2" is not valid. Give a number above 0, at most 1000.'],
    [["--tag=Home"], '--tag "Home" is not valid. Give at most 32 tags, each of 1 to 64 lower-case letters'],
    [["--tag=a,,b"], '--tag "a,,b" is not valid.'],
    [[`--tag=${Array.from({ length: 33 }, (_, index) => index).join()}`], "--tag "],
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
