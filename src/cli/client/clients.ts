import type { FormatName } from "./formats.ts";
import { absent, isFields, items, orElse } from "./merge.ts";
import { PLACES, type Places } from "./places.ts";

/** A model that the server offers. */
export interface Model {
  id: string;
  /** In tokens, if the server knows it. */
  contextLength?: number | undefined;
  /** Its abilities, such as `vision`, if the server knows them. */
  capabilities?: readonly string[] | undefined;
}

/** The server and the models that a client is to use. */
export interface Target {
  /** The base URL, without `/v1` and without a slash at its end. */
  url: string;
  token: string;
  /** The model to start with. */
  model: Model;
  /** All models that the token may use, the one to start with first. */
  models: readonly Model[];
  /** The name of the server in the client: lower-case letters, digits and dashes. */
  provider: string;
}

/** A program whose configuration the command knows. */
export interface Client {
  title: string;
  format: FormatName;
  /** Missing for a client whose settings are environment variables. */
  places?: Places;
  /** Whether the configuration has the token in it. */
  holdsToken: boolean;
  /** Returns what the configuration must have, for `merge`. */
  wanted(target: Target): unknown;
  /** Returns the model that a configuration names for this provider, which is kept if the server offers it. */
  modelIn?(value: unknown, provider: string): unknown;
  /** Returns what the user has to know or do besides, a line each. */
  notes(target: Target): string[];
}

/** The context length that a client gets if it needs one and the server knows none. */
const CONTEXT_LENGTH = 32_768;

const titleOf = (provider: string) => provider.charAt(0).toUpperCase() + provider.slice(1);
const lengthOf = ({ contextLength }: Model) => contextLength ?? orElse(CONTEXT_LENGTH);

/** Returns how many tokens of a context a client should leave for the answer. */
function outputLength({ contextLength = CONTEXT_LENGTH }: Model): number {
  return Math.min(Math.floor(contextLength / 4), 16_384);
}

const codex: Client = {
  title: "Codex CLI",
  format: "toml",
  places: PLACES.codex,
  holdsToken: true,
  wanted: ({ url, token, model, provider }) => ({
    model: model.id,
    model_provider: provider,
    ...(model.contextLength !== undefined && { model_context_window: model.contextLength }),
    model_providers: {
      [provider]: {
        name: titleOf(provider),
        base_url: `${url}/v1`,
        wire_api: "responses",
        experimental_bearer_token: token,
        // Codex would refuse to start without the variable, or use it instead.
        env_key: absent(),
      },
    },
  }),
  modelIn: (value, provider) =>
    field(value, "model_provider") === provider ? field(value, "model") : undefined,
  notes: () => ["Start Codex with: codex"],
};

const claude: Client = {
  title: "Claude Code",
  format: "json",
  places: PLACES.claude,
  holdsToken: true,
  wanted: ({ url, token, model: { id, contextLength } }) => ({
    env: {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_AUTH_TOKEN: token,
      ANTHROPIC_MODEL: id,
      // The names that subagents and background work use.
      ANTHROPIC_DEFAULT_OPUS_MODEL: id,
      ANTHROPIC_DEFAULT_SONNET_MODEL: id,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: id,
      // Claude Code takes a million tokens for the length of a model that it does not know.
      ...(contextLength !== undefined && { CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(contextLength) }),
    },
  }),
  modelIn: (value) => field(value, "env", "ANTHROPIC_MODEL"),
  notes: () => ["Start Claude Code with: claude"],
};

const opencode: Client = {
  title: "OpenCode",
  format: "jsonc",
  places: PLACES.opencode,
  holdsToken: true,
  wanted: ({ url, token, model, models, provider }) => ({
    $schema: orElse("https://opencode.ai/config.json"),
    model: `${provider}/${model.id}`,
    provider: {
      [provider]: {
        npm: "@ai-sdk/openai-compatible",
        name: titleOf(provider),
        options: { baseURL: `${url}/v1`, apiKey: token },
        models: Object.fromEntries(
          models.map((each) => [
            each.id,
            {
              name: orElse(each.id),
              ...(each.contextLength !== undefined && {
                limit: { context: each.contextLength, output: orElse(outputLength(each)) },
              }),
            },
          ]),
        ),
      },
    },
  }),
  modelIn: (value, provider) => withoutPrefix(field(value, "model"), `${provider}/`),
  notes: () => ["Start OpenCode with: opencode"],
};

const continueDev: Client = {
  title: "Continue",
  format: "yaml",
  places: PLACES.continue,
  holdsToken: true,
  wanted: ({ url, token, models, provider }) => ({
    name: orElse("Local Config"),
    version: orElse("1.0.0"),
    schema: orElse("v1"),
    models: items(
      "name",
      models.map(({ id }) => ({
        name: `${titleOf(provider)} ${id}`,
        provider: "openai",
        model: id,
        apiBase: `${url}/v1`,
        apiKey: token,
      })),
    ),
  }),
  notes: ({ model, provider }) => [`Choose the model ${titleOf(provider)} ${model.id} in Continue.`],
};

const aider: Client = {
  title: "aider",
  format: "yaml",
  places: PLACES.aider,
  holdsToken: true,
  wanted: ({ url, token, model }) => ({
    model: `openai/${model.id}`,
    "openai-api-base": `${url}/v1`,
    "openai-api-key": token,
  }),
  modelIn: (value) => withoutPrefix(field(value, "model"), "openai/"),
  notes: () => ["Start aider with: aider"],
};

const openwebui: Client = {
  title: "Open WebUI",
  format: "env",
  holdsToken: true,
  wanted: ({ url, token, model }) => ({
    OPENAI_API_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: token,
    DEFAULT_MODELS: model.id,
  }),
  notes: () => [
    "Open WebUI reads these variables at its first start only.",
    "Later, use Admin settings, Connections, OpenAI API.",
  ],
};

const zed: Client = {
  title: "Zed",
  format: "jsonc",
  places: PLACES.zed,
  holdsToken: false,
  wanted: ({ url, model, models, provider }) => ({
    language_models: {
      openai_compatible: {
        [provider]: {
          api_url: `${url}/v1`,
          available_models: items(
            "name",
            models.map((each) => ({ name: each.id, max_tokens: lengthOf(each) })),
          ),
        },
      },
    },
    agent: { default_model: { provider, model: model.id } },
  }),
  modelIn: (value, provider) =>
    field(value, "agent", "default_model", "provider") === provider
      ? field(value, "agent", "default_model", "model")
      : undefined,
  notes: ({ provider }) => [
    `Zed keeps tokens in the system's keychain: run "agent: open settings" and enter the token for ${provider},`,
    `or start Zed with the token in ${provider.toUpperCase().replaceAll("-", "_")}_API_KEY.`,
  ],
};

const vscode: Client = {
  title: "VS Code",
  format: "jsonc",
  places: PLACES.vscode,
  holdsToken: true,
  wanted: ({ url, token, models, provider }) =>
    items("name", [
      {
        name: titleOf(provider),
        vendor: "customendpoint",
        apiKey: token,
        apiType: "chat-completions",
        models: items(
          "id",
          models.map((each) => ({
            id: each.id,
            name: orElse(each.id),
            url: `${url}/v1/chat/completions`,
            toolCalling: orElse(each.capabilities?.includes("tools") ?? true),
            vision: orElse(each.capabilities?.includes("vision") ?? false),
            maxInputTokens: inputLength(each),
            maxOutputTokens: orElse(outputLength(each)),
          })),
        ),
      },
    ]),
  notes: () => [
    "VS Code needs version 1.122 or later. Choose the model in the model picker of the chat.",
    'To keep the token in VS Code\'s secret storage instead, run "Chat: Manage Language Models" and enter it there.',
  ],
};

function inputLength(model: Model) {
  const { contextLength = CONTEXT_LENGTH } = model;
  const length = contextLength - outputLength(model);
  return model.contextLength === undefined ? orElse(length) : length;
}

function field(value: unknown, ...path: string[]): unknown {
  return path.reduce((part, key) => (isFields(part) ? part[key] : undefined), value);
}

function withoutPrefix(text: unknown, prefix: string): unknown {
  return typeof text === "string" && text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

export const CLIENTS = { codex, claude, opencode, continue: continueDev, aider, openwebui, zed, vscode };

export type ClientName = keyof typeof CLIENTS;
