import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAgentFile } from "../../../src/cli/upstreams/config-file.ts";
import { LINUX_ROOT, planOf } from "../../support/service.ts";
import { tempFolder } from "../../support/store.ts";

const SECRETS = ["agent-key-that-nobody-sees", "key-in-the-file", "key-of-another-file"];

/** A configuration file with keys of all kinds, and a key file beside it. */
function configFile(): string {
  const folder = tempFolder();
  const path = join(folder, "agent.toml");
  writeFileSync(join(folder, "b.key"), "key-of-another-file\n");
  const text = `
server = "https://chat.example.com/agents/agent-key-that-nobody-sees"
drain = "2m"
slots = 3
[[upstreams]]
url = "http://a:1"
key = "key-in-the-file"
[[upstreams]]
url = "http://b:2"
key-file = "b.key"
`;
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

for (const machine of [
  LINUX_ROOT,
  { ...LINUX_ROOT, isAdmin: false, uid: 1000, user: "ann", home: "/home/ann" },
])
  test(`agent install carries the configuration file, ${machine.isAdmin ? "for the system" : "for a user"}`, () => {
    const { files, description, service } = planOf(
      "agent",
      ["--config", configFile(), "--slots", "7"],
      machine,
    );
    expect(service.args).toEqual(["agent", "wss://chat.example.com"]);
    expect(service.stopMs).toBe(135_000);
    expect(description).toContain("CHATGPT_API_SLOTS=7");
    // What the file says stays in the file, as its tables would not win over a variable.
    expect(description).not.toContain("CHATGPT_API_DRAIN");
    for (const secret of SECRETS) expect(description).not.toContain(secret);
    const copy = files.find(({ path }) => path.endsWith("/config"));
    expect(copy).toMatchObject({ mode: 0o600, isSecret: true });
    const path = copy?.path ?? "";
    if (machine.isAdmin) {
      expect(description).toContain(
        `LoadCredential=config:${path}\nEnvironment=CHATGPT_API_CONFIG=%d/config\n`,
      );
    } else expect(description).toContain(`Environment=CHATGPT_API_CONFIG=${path}\n`);
    const written = join(tempFolder(), "config");
    writeFileSync(written, copy?.text ?? "", { mode: 0o600 });
    const { upstreams, texts } = readAgentFile(written);
    expect(upstreams).toEqual([
      { url: "http://a:1", key: "key-in-the-file" },
      { url: "http://b:2", key: "key-of-another-file" },
    ]);
    expect([...texts.keys()].toSorted()).toEqual(["drainMs", "slots"]);
  });

test("agent install takes the file that the environment names", () => {
  const env = { CHATGPT_API_CONFIG: configFile() };
  expect(planOf("agent", [], { ...LINUX_ROOT, env }).description).toContain("CHATGPT_API_CONFIG=%d/config");
});

test("agent install refuses a file that the agent would refuse", () => {
  const path = join(tempFolder(), "agent.toml");
  writeFileSync(path, '[[upstreams]]\nurl = "http://localhost:8080/v1"\n');
  expect(() => planOf("agent", ["localhost:8080", "--config", path])).toThrow("names the server itself");
  writeFileSync(path, "[[upstreams]]\nslots = 2\n");
  expect(() => planOf("agent", ["localhost:8080", "--config", path])).toThrow("upstreams[0].url");
});

test("agent install takes several upstreams, with their keys in one file", () => {
  const args = ["localhost:8080", "--upstream", "http://a:1", "--upstream", "http://b:2"];
  const keys = ["--upstream-key", "key-of-a", "--upstream-key", "none", "--slots", "2,auto"];
  const { description, files } = planOf("agent", [...args, ...keys]);
  expect(description).toContain("Environment=CHATGPT_API_UPSTREAM=http://a:1,http://b:2\n");
  expect(description).toContain("Environment=CHATGPT_API_SLOTS=2,auto\n");
  expect(files.find(({ path }) => path.endsWith("/upstream-key"))?.text).toBe("key-of-a\nnone\n");
});
