import { describe, expect, test } from "bun:test";
import { readConfig } from "../../src/config/read.ts";

type Env = Record<string, string>;

const read = (args: readonly string[], env: Env = {}) => readConfig({ args, env }).config;
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
  test("takes a flag that may be repeated as often as it comes, each name once", () => {
    const { models } = configOf(["--model", "a", "--model=b", "--model", "a"]);
    expect(models).toEqual(["a", "b"]);
    expect(Object.isFrozen(models)).toBe(true);
  });

  test("takes no value after a flag that is a switch, but one after an equals sign", () => {
    expect(read(["--echo", "8080", "key"])).toMatchObject({ echo: true, port: 8080, adminKey: "key" });
    expect(configOf(["--echo=no"], { CHATGPT_API_ECHO: "yes" }).echo).toBe(false);
    expect(faultOf(["--echo", "--echo"])).toBe("--echo is given twice: give it once");
  });

  test.each([
    ["localhost:11434", "http://localhost:11434"],
    ["https://api.example/v1/", "https://api.example/v1"],
    ["http://[::1]:8000/v1", "http://[::1]:8000/v1"],
  ])("an upstream of %s", (text, url) => {
    expect(configOf(["--upstream", text]).upstream).toBe(url);
  });

  test.each<[string[], string]>([
    [["--upstream=ftp://gpu"], '--upstream "ftp://gpu": give a base URL'],
    [["--upstream=http://gpu/v1?x=1"], '--upstream "http://gpu/v1?x=1": give a base URL'],
    [["--model=a,,b"], '--model "a,,b": give 1 to 256 characters for each'],
    [["--echo=maybe"], '--echo "maybe": give yes or no, or the flag alone'],
    [["--upstream-key=with blank"], "--upstream-key: give letters, digits and signs of ASCII"],
  ])("%j is a fault", (args, message) => {
    expect(faultOf(args)).toStartWith(message);
  });

  test("a password in an upstream's address is a fault that does not repeat it", () => {
    const fault = faultOf(["--upstream", "http://user:hunter2@gpu:8000/v1"]);
    expect(fault).toContain("without user, password or query");
    expect(fault).not.toMatch(/user:|hunter2/);
  });
});
