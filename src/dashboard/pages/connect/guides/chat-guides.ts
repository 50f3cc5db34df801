import { type FieldStep, type Guide, quoted, shellWord, type Target } from "./guide.ts";

const openWebui = ({ url, model, token }: Target) => `OPENAI_API_BASE_URL=${shellWord(`${url}/v1`)}
OPENAI_API_KEY=${shellWord(token)}
DEFAULT_MODELS=${shellWord(model)}
`;

const librechat = ({ url, model }: Target) => `endpoints:
  custom:
    - name: "Mine"
      apiKey: "\${TOKEN}"
      baseURL: ${quoted(`${url}/v1`)}
      models: { default: [${quoted(model)}], fetch: true }
`;

const url = { label: "connect.field.url", value: ({ url }: Target) => url } as const;
const base = { label: "connect.field.base", value: ({ url }: Target) => `${url}/v1` } as const;
const key = { label: "connect.field.key", value: ({ token }: Target) => token } as const;
const model = { label: "connect.field.model", value: ({ model }: Target) => model } as const;

const fields = (about: FieldStep["about"], ...list: FieldStep["fields"]): FieldStep => ({
  about,
  fields: list,
});

/** Programs to chat with, and those for the home and for flows. */
export const CHAT_GUIDES: readonly Guide[] = [
  {
    id: "openwebui",
    title: "Open WebUI",
    kind: "chat",
    command: "openwebui",
    steps: [
      fields("connect.about.openwebui", base, key),
      { language: "bash", code: openWebui, about: "connect.about.openwebui.env" },
    ],
  },
  {
    id: "librechat",
    title: "LibreChat",
    kind: "chat",
    notes: ["connect.note.librechat"],
    steps: [{ language: "yaml", code: librechat, file: "librechat.yaml" }],
  },
  {
    id: "n8n",
    title: "n8n",
    kind: "chat",
    page: "docs/ollama-api.md",
    steps: [fields("connect.about.n8n", url, key)],
  },
  {
    id: "home-assistant",
    title: "Home Assistant",
    kind: "chat",
    page: "docs/ollama-api.md",
    steps: [fields("connect.about.homeAssistant", url, key, model)],
  },
];
