import { describe, expect, test } from "bun:test";
import { CLIENTS, type ClientName, type Target } from "../../../src/cli/client/clients.ts";
import { freshText, readConfiguration } from "../../../src/cli/client/edit.ts";
import { CommandError } from "../../../src/errors.ts";

const MODELS = [{ id: "llama3.2", contextLength: 8192 }, { id: "qwen:7b" }];
const TARGET: Target = {
  ...{ url: "http://localhost:8080", token: "t-1", provider: "mine" },
  ...{ model: { id: "llama3.2", contextLength: 8192 }, models: MODELS },
};

function write(name: ClientName, text: string, target = TARGET): string {
  const { format, wanted } = CLIENTS[name];
  return readConfiguration(text, format, "the-file").with(wanted(target));
}

/** The library for JSON may lay the object out anew that it adds a key to. */
function squeezed(text: string, name: ClientName): string {
  return CLIENTS[name].format.startsWith("json") ? text.replace(/\s+/g, "") : text;
}

/** For each client, a file of a user with comments, and parts of it that must stay as they are. */
const FILES: Partial<Record<ClientName, { text: string; keeps: string[] }>> = {
  codex: {
    text: '# top\nmodel = "gpt-5" # best\nwhen = 1979-05-27T07:32:00Z\n\n# tools\n[mcp_servers.x]\ncommand = "npx" # run\n\n[model_providers.other]\nname = "O"\n',
    keeps: [
      ...["# top\n", " # best\n", "when = 1979-05-27T07:32:00Z\n"],
      ...['# tools\n[mcp_servers.x]\ncommand = "npx" # run\n', '[model_providers.other]\nname = "O"\n'],
    ],
  },
  claude: {
    text: '{\n    "permissions": { "allow": ["Bash"] },\n    "env": { "FOO": "1" },\n    "z": 1\n}\n',
    keeps: ['    "permissions": { "allow": ["Bash"] },\n', '"FOO": "1"', '    "z": 1\n'],
  },
  opencode: {
    text: '{\n  "theme": "x",\n  "provider": { "mine": { "models": { "llama3.2": { "name": "My llama" } } } }\n}\n',
    keeps: ['"theme": "x"', '"name": "My llama"'],
  },
  continue: {
    text: "# mine\nname: Work\nversion: 2.0.0\nschema: v1\nmodels:\n- name: Other # keep\n  provider: ollama\n  model: x\nrules:\n- Be brief\n",
    keeps: [
      ...["# mine\nname: Work\nversion: 2.0.0\n", "- name: Other # keep\n  provider: ollama\n  model: x\n"],
      "rules:\n- Be brief\n",
    ],
  },
  aider: { text: "# a\ndark-mode: true # c\n", keeps: ["# a\ndark-mode: true # c\n"] },
  zed: {
    text: '// Zed settings\n{\n\t"theme": "One", // c\n\t"language_models": {\n\t\t"openai_compatible": {\n\t\t\t"mine": { "available_models": [{ "name": "qwen:7b", "max_tokens": 99 }] }\n\t\t}\n\t},\n}\n',
    keeps: ['// Zed settings\n{\n\t"theme": "One", // c\n', '{ "name": "qwen:7b", "max_tokens": 99 }'],
  },
  vscode: {
    text: '[\n  { "name": "Local", "vendor": "ollama" }, // c\n]\n',
    keeps: ['  { "name": "Local", "vendor": "ollama" }', "// c\n"],
  },
};

test("VS Code learns which models take tools and images, and what the user has chosen is kept", () => {
  const models = [
    { id: "llava", capabilities: ["completion", "vision"] },
    { id: "qwen3", capabilities: ["completion", "tools"] },
    { id: "other" },
  ];
  const first = write("vscode", "", { ...TARGET, models });
  const [{ models: written }] = JSON.parse(first);
  expect(written).toMatchObject([
    { id: "llava", toolCalling: false, vision: true },
    { id: "qwen3", toolCalling: true, vision: false },
    { id: "other", toolCalling: true, vision: false },
  ]);
  const changed = first.replace('"vision": true', '"vision": false');
  expect(write("vscode", changed, { ...TARGET, models })).toBe(changed);
});

describe.each(Object.entries(FILES) as [ClientName, { text: string; keeps: string[] }][])(
  "the configuration of %s",
  (name, { text, keeps }) => {
    const { format, wanted } = CLIENTS[name];

    test(`a written configuration of ${name} keeps what the user has, comments too`, () => {
      const written = write(name, text);
      for (const kept of keeps) expect(squeezed(written, name)).toContain(squeezed(kept, name));
      expect(written).toContain("llama3.2");
    });

    test(`a second run changes nothing in the configuration of ${name}`, () => {
      for (const before of [text, ""]) {
        const written = write(name, before);
        expect(write(name, written)).toBe(written);
      }
    });

    test(`another token and address replace the old ones in the configuration of ${name}`, () => {
      const next = { ...TARGET, token: "t-2", url: "https://chat.example.com" };
      const written = write(name, write(name, text), next);
      expect(written).not.toContain("t-1");
      expect(written).not.toContain("localhost:8080");
      expect(written).toContain("https://chat.example.com");
    });

    test(`line ends of Windows and a byte order mark stay in the configuration of ${name}`, () => {
      const written = write(name, `\uFEFF${text.replaceAll("\n", "\r\n")}`);
      expect(written).toStartWith("\uFEFF");
      expect(written).not.toMatch(/[^\r]\n/);
      expect(written.replace("\uFEFF", "").replaceAll("\r\n", "\n")).toBe(write(name, text));
    });

    test(`an empty file gets what a new file of ${name} has`, () => {
      expect(write(name, "")).toBe(freshText(format, wanted(TARGET)));
      expect(write(name, "\n")).toContain("llama3.2");
    });
  },
);

test.each([
  ["codex", "a = = 1\n", "it is not valid TOML"],
  ["codex", 'token = "secret"\ntoken = "secret"\n', "it is not valid TOML"],
  ["codex", 'model_providers = "x"\n', "model_providers has another type than expected"],
  ["claude", '{\n  "a": 1\n  "b": 2\n}', "line 3 is not JSON (CommaExpected)"],
  ["claude", '{\n  "a": 1 // comment\n}', "line 2 is not JSON (InvalidCommentToken)"],
  ["claude", '{ "env": ["secret"] }', "env has another type than expected"],
  ["claude", "[]", "it has another structure than expected"],
  ["vscode", "{}", "it has another structure than expected"],
  [
    "zed",
    '{ "language_models": { "openai_compatible": 3 } }',
    "language_models.openai_compatible has another",
  ],
  ["continue", "a: [1\nb: 2\n", "is not YAML"],
  ["continue", "models: secret\n", "models has another type than expected"],
  ["continue", "a: &x [1]\nmodels: *y\n", "not"],
] as const)(
  "the configuration of %s that has %j is refused, with the reason, and no secret",
  (name, text, reason) => {
    let error: unknown;
    try {
      write(name, text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CommandError);
    const { message } = error as CommandError;
    expect(message).toStartWith("the-file was not changed: ");
    expect(message).toContain(reason);
    expect(message).not.toContain("secret");
  },
);

test("Codex gets the token in the file, and no longer the name of a variable that it would need", () => {
  const before =
    'model_provider = "mine"\n\n[model_providers.mine]\nname = "Mine"\nenv_key = "TOKEN"\nrequest_max_retries = 2\n';
  const written = write("codex", before);
  expect(written).not.toContain("env_key");
  expect(written).toContain("request_max_retries = 2\n");
  expect(written).toContain('experimental_bearer_token = "t-1"\n');
});

test("settings that a list of models has already stay, and the length that the server knows replaces an old one", () => {
  const written = write("zed", FILES.zed?.text.replace('"qwen:7b"', '"llama3.2"') ?? "");
  expect(squeezed(written, "zed")).toContain(
    '[{"name":"llama3.2","max_tokens":8192},{"name":"qwen:7b","max_tokens":32768}]',
  );
});

test("Claude Code gets the context length that the server knows, and keeps the user's otherwise", () => {
  const lengthIn = (text: string, model = TARGET.model) =>
    JSON.parse(write("claude", text, { ...TARGET, model })).env.CLAUDE_CODE_MAX_CONTEXT_TOKENS;
  const own = '{ "env": { "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "99" } }';
  expect(lengthIn(own)).toBe("8192");
  expect(lengthIn(own, { id: "qwen:7b" })).toBe("99");
  expect(lengthIn("", { id: "qwen:7b" })).toBeUndefined();
});

test("the model that a configuration names is found for its own provider only", () => {
  for (const name of ["codex", "claude", "opencode", "aider", "zed"] as const) {
    const { format, modelIn } = CLIENTS[name];
    const { value } = readConfiguration(write(name, ""), format, "");
    expect(modelIn?.(value, "mine")).toBe("llama3.2");
    expect(modelIn?.(undefined, "mine")).toBeUndefined();
    if (["codex", "opencode", "zed"].includes(name)) expect(modelIn?.(value, "other")).toBeUndefined();
  }
});

test("the page about clients has the configuration that the command prints for each of them", async () => {
  const page = await Bun.file(`${import.meta.dir}/../../../docs/openai.md`).text();
  const model = { id: "llama3.2" };
  const target = { ...TARGET, token: "<token>", model, models: [model] };
  for (const { format, wanted, title } of Object.values(CLIENTS)) {
    const fence = format === "env" ? "bash" : format.replace("jsonc", "json");
    const block = `\`\`\`${fence}\n${freshText(format, wanted(target))}\`\`\`\n`;
    expect({ title, isThere: page.includes(block) }).toEqual({ title, isThere: true });
    expect({ title, isThere: page.includes(`**${title}**`) }).toEqual({ title, isThere: true });
  }
});
