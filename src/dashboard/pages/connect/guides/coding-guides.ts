import { powershellQuote } from "../../../../shell-quote.ts";
import { type Guide, inHome, quoted, SHELL_SYSTEMS, shellWord, type Target, yamlText } from "./guide.ts";

/** Returns JSON as the command `client` writes it. */
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

const claude = ({ url, model, token }: Target) =>
  json({
    env: {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_AUTH_TOKEN: token,
      ANTHROPIC_MODEL: model,
      ANTHROPIC_DEFAULT_OPUS_MODEL: model,
      ANTHROPIC_DEFAULT_SONNET_MODEL: model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
    },
  });

const claudeOnce = ({ url, model }: Target) =>
  `export ANTHROPIC_BASE_URL=${shellWord(url)} ANTHROPIC_AUTH_TOKEN=$TOKEN ANTHROPIC_MODEL=${shellWord(model)}
claude
`;

const claudeOnceOnWindows = ({ url, model }: Target) => `$env:ANTHROPIC_BASE_URL = ${powershellQuote(url)}
$env:ANTHROPIC_AUTH_TOKEN = $env:TOKEN
$env:ANTHROPIC_MODEL = ${powershellQuote(model)}
claude
`;

const codex = ({ url, model, token }: Target) => `model = ${quoted(model)}
model_provider = "mine"

[model_providers.mine]
name = "Mine"
base_url = ${quoted(`${url}/v1`)}
wire_api = "responses"
experimental_bearer_token = ${quoted(token)}
`;

const continueDev = ({ url, model, token }: Target) => `name: Local Config
version: 1.0.0
schema: v1
models:
  - name: ${yamlText(`Mine ${model}`)}
    provider: openai
    model: ${yamlText(model)}
    apiBase: ${url}/v1
    apiKey: ${yamlText(token)}
`;

const aider = ({ url, model, token }: Target) => `model: ${yamlText(`openai/${model}`)}
openai-api-base: ${url}/v1
openai-api-key: ${yamlText(token)}
`;

const opencode = ({ url, model, token }: Target) =>
  json({
    $schema: "https://opencode.ai/config.json",
    model: `mine/${model}`,
    provider: {
      mine: {
        npm: "@ai-sdk/openai-compatible",
        name: "Mine",
        options: { baseURL: `${url}/v1`, apiKey: token },
        models: { [model]: { name: model } },
      },
    },
  });

const zed = ({ url, model }: Target) =>
  json({
    language_models: {
      openai_compatible: {
        mine: { api_url: `${url}/v1`, available_models: [{ name: model, max_tokens: 32_768 }] },
      },
    },
    agent: { default_model: { provider: "mine", model } },
  });

const vscode = ({ url, model, token }: Target) =>
  json([
    {
      name: "Mine",
      vendor: "customendpoint",
      apiKey: token,
      apiType: "chat-completions",
      models: [
        {
          id: model,
          name: model,
          url: `${url}/v1/chat/completions`,
          toolCalling: true,
          vision: false,
          maxInputTokens: 24_576,
          maxOutputTokens: 8_192,
        },
      ],
    },
  ]);

/** Programs that write code. */
export const CODING_GUIDES: readonly Guide[] = [
  {
    id: "claude",
    title: "Claude Code",
    kind: "coding",
    command: "claude",
    notes: ["connect.note.claude"],
    steps: [
      { language: "json", code: claude, file: inHome(".claude/settings.json") },
      {
        language: "bash",
        code: claudeOnce,
        variable: "TOKEN",
        systems: SHELL_SYSTEMS,
        about: "connect.about.session",
      },
      {
        language: "powershell",
        code: claudeOnceOnWindows,
        variable: "TOKEN",
        systems: ["windows"],
        about: "connect.about.session",
      },
    ],
  },
  {
    id: "codex",
    title: "Codex CLI",
    kind: "coding",
    command: "codex",
    notes: ["connect.note.codex"],
    steps: [{ language: "toml", code: codex, file: inHome(".codex/config.toml") }],
  },
  {
    id: "continue",
    title: "Continue",
    kind: "coding",
    command: "continue",
    steps: [{ language: "yaml", code: continueDev, file: inHome(".continue/config.yaml") }],
  },
  {
    id: "cline",
    title: "Cline",
    kind: "coding",
    steps: [
      {
        about: "connect.about.cline",
        fields: [
          { label: "connect.field.base", value: ({ url }) => `${url}/v1` },
          { label: "connect.field.key", value: ({ token }) => token },
          { label: "connect.field.model", value: ({ model }) => model },
        ],
      },
    ],
  },
  {
    id: "aider",
    title: "aider",
    kind: "coding",
    command: "aider",
    steps: [{ language: "yaml", code: aider, file: inHome(".aider.conf.yml") }],
  },
  {
    id: "opencode",
    title: "OpenCode",
    kind: "coding",
    command: "opencode",
    steps: [{ language: "json", code: opencode, file: inHome(".config/opencode/opencode.json") }],
  },
  {
    id: "zed",
    title: "Zed",
    kind: "coding",
    command: "zed",
    notes: ["connect.note.zed"],
    steps: [
      {
        language: "json",
        code: zed,
        variable: "MINE_API_KEY",
        file: { ...inHome(".config/zed/settings.json"), windows: "%APPDATA%\\Zed\\settings.json" },
      },
    ],
  },
  {
    id: "vscode",
    title: "VS Code",
    kind: "coding",
    command: "vscode",
    notes: ["connect.note.vscode"],
    steps: [
      {
        language: "json",
        code: vscode,
        file: {
          linux: "~/.config/Code/User/chatLanguageModels.json",
          macos: "~/Library/Application Support/Code/User/chatLanguageModels.json",
          windows: "%APPDATA%\\Code\\User\\chatLanguageModels.json",
        },
      },
    ],
  },
];
