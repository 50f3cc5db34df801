import { expect, test } from "bun:test";
import { PLACES } from "../../../src/cli/client/places.ts";

const linux = { platform: "linux", home: "/home/ann", env: {} } as const;
const mac = { platform: "darwin", home: "/Users/ann", env: {} } as const;
const windows = { platform: "win32", home: "C:\\Users\\ann", env: {} } as const;

test.each([
  [
    "codex",
    "/home/ann/.codex/config.toml",
    "/Users/ann/.codex/config.toml",
    "C:\\Users\\ann\\.codex\\config.toml",
  ],
  [
    "claude",
    "/home/ann/.claude/settings.json",
    "/Users/ann/.claude/settings.json",
    "C:\\Users\\ann\\.claude\\settings.json",
  ],
  [
    "opencode",
    "/home/ann/.config/opencode/opencode.json",
    "/Users/ann/.config/opencode/opencode.json",
    "C:\\Users\\ann\\.config\\opencode\\opencode.json",
  ],
  [
    "continue",
    "/home/ann/.continue/config.yaml",
    "/Users/ann/.continue/config.yaml",
    "C:\\Users\\ann\\.continue\\config.yaml",
  ],
  ["aider", "/home/ann/.aider.conf.yml", "/Users/ann/.aider.conf.yml", "C:\\Users\\ann\\.aider.conf.yml"],
  [
    "zed",
    "/home/ann/.config/zed/settings.json",
    "/Users/ann/.config/zed/settings.json",
    "C:\\Users\\ann\\AppData\\Roaming\\Zed\\settings.json",
  ],
  [
    "vscode",
    "/home/ann/.config/Code/User/chatLanguageModels.json",
    "/Users/ann/Library/Application Support/Code/User/chatLanguageModels.json",
    "C:\\Users\\ann\\AppData\\Roaming\\Code\\User\\chatLanguageModels.json",
  ],
] as const)("the file of %s is found on Linux, macOS and Windows", (name, onLinux, onMac, onWindows) => {
  expect([linux, mac, windows].map((machine) => PLACES[name](machine).at(-1))).toEqual([
    onLinux,
    onMac,
    onWindows,
  ]);
});

test("the variables of the clients and of the system move their files", () => {
  const env = { CODEX_HOME: "/c", CLAUDE_CONFIG_DIR: "/d", CONTINUE_GLOBAL_DIR: "/e", XDG_CONFIG_HOME: "/x" };
  const machine = { ...linux, env };
  expect(PLACES.codex(machine)).toEqual(["/c/config.toml"]);
  expect(PLACES.claude(machine)).toEqual(["/d/settings.json"]);
  expect(PLACES.continue(machine)).toEqual(["/e/config.yaml"]);
  expect(PLACES.zed(machine)).toEqual(["/x/zed/settings.json"]);
  expect(PLACES.opencode(machine)).toEqual(["/x/opencode/opencode.jsonc", "/x/opencode/opencode.json"]);
  expect(PLACES.opencode({ ...linux, env: { OPENCODE_CONFIG: "/o.json" } })).toEqual(["/o.json"]);
  expect(PLACES.vscode({ ...windows, env: { APPDATA: "D:\\A" } })).toEqual([
    "D:\\A\\Code\\User\\chatLanguageModels.json",
  ]);
});
