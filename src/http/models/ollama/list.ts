import { z } from "zod";
import { AppError } from "../../../errors.ts";
import type { OfferedModel } from "../../../relay/offers/offered-model.ts";
import type { Relay } from "../../../relay/relay.ts";
import { ollamaStyle } from "../../errors/ollama.ts";
import { ok, resource, route } from "../../route.ts";
import { count, namedObject, SAMPLE, text, time } from "../../values.ts";
import { resolveModel } from "../names/allowed-models.ts";
import { findModel, listModels, type ModelListDeps } from "../names/offered-list.ts";
import { unknownModel } from "../names/unknown-model.ts";

/** The version of Ollama whose API the routes speak. Clients look for a least version, below which they refuse. */
const OLLAMA_VERSION = "0.12.11";

const Details = namedObject("OllamaModelDetails", {
  parent_model: text,
  format: text,
  family: text,
  families: z.array(text),
  parameter_size: text,
  quantization_level: text,
});
const capabilities = z.array(text);
const entryFields = { name: text, model: text, size: count, digest: text, details: Details };
const ListedModel = namedObject("OllamaModel", { ...entryFields, modified_at: time, capabilities });
const RunningModel = namedObject("OllamaRunningModel", { ...entryFields, context_length: count.optional() });
const ShownModel = namedObject("OllamaShownModel", {
  ...{ license: text, modelfile: text, parameters: text, template: text, system: text },
  details: Details,
  model_info: z.record(text, z.union([text, count])),
  capabilities,
  modified_at: time,
});

/** Clients name the model by either field. */
export const NamedBody = z.looseObject({
  model: z.string().max(256).nullish().describe("The model's name."),
  name: z.string().max(256).nullish().describe("The same, for older clients."),
});
export const NAMED_BYTES_MAX = 64 * 1024;

const DETAILS = {
  ...{ parent_model: "", format: "", family: "llama", families: ["llama"] },
  ...{ parameter_size: "3.2B", quantization_level: "Q4_K_M" },
};
const ENTRY = {
  ...{ name: SAMPLE.model, model: SAMPLE.model, size: 2019393189, details: DETAILS },
  digest: "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
};
const CAPABILITIES = ["completion", "tools"];
const REPORTED = "What no agent reports is empty or 0.";

const declared = { access: "caller", style: ollamaStyle } as const;
const ROUTES = {
  ollamaVersion: route("GET /api/version", {
    ...declared,
    summary: "Read the version of Ollama's API",
    description: "The version of Ollama whose API this is, as clients refuse older ones.",
    answers: ok("The version.", namedObject("OllamaVersion", { version: text }), { version: OLLAMA_VERSION }),
  }),
  ollamaTags: route("GET /api/tags", {
    ...declared,
    summary: "List the models, Ollama-style",
    description: `Those of \`GET /v1/models\`. ${REPORTED}`,
    answers: ok("The models.", namedObject("OllamaModels", { models: z.array(ListedModel) }), {
      models: [{ ...ENTRY, modified_at: SAMPLE.time, capabilities: CAPABILITIES }],
    }),
  }),
  ollamaPs: route("GET /api/ps", {
    ...declared,
    summary: "List the models in memory, Ollama-style",
    description: "Those that an agent reports to have in memory.",
    answers: ok("The models.", namedObject("OllamaRunningModels", { models: z.array(RunningModel) }), {
      models: [{ ...ENTRY, context_length: 8192 }],
    }),
  }),
  ollamaShow: route("POST /api/show", {
    ...declared,
    summary: "Read one model, Ollama-style",
    description: `${REPORTED} A model is said to chat and call tools unless an agent reports its capabilities.`,
    body: {
      schema: NamedBody,
      example: { model: SAMPLE.model },
      error: "request_invalid",
      bytesMax: NAMED_BYTES_MAX,
    },
    answers: ok("The model.", ShownModel, {
      ...{ license: "", modelfile: "", parameters: "", template: "", system: "", details: DETAILS },
      model_info: {
        "general.architecture": "llama",
        "general.basename": SAMPLE.model,
        "llama.context_length": 8192,
      },
      ...{ capabilities: CAPABILITIES, modified_at: SAMPLE.time },
    }),
    errors: ["model_not_found", "no_agent"],
  }),
};

export type OllamaListDeps = ModelListDeps & { relay: Pick<Relay, "canDo"> };

/** The lists of Ollama's own API, made of what agents report: https://docs.ollama.com/api/tags. */
export const ollamaListRoutes = resource("Ollama", ROUTES).handledBy((deps: OllamaListDeps) => ({
  ollamaVersion: () => ({ version: OLLAMA_VERSION }),

  ollamaTags({ caller }) {
    const models = listModels(deps, caller).map((model) => ({
      ...entryOf(model),
      modified_at: timeOf(model),
      capabilities: capabilitiesOf(model, deps),
    }));
    return { models };
  },

  ollamaPs({ caller }) {
    const running = listModels(deps, caller).filter((model) => model.loaded);
    return {
      models: running.map((model) => ({
        ...entryOf(model),
        ...(model.context_length !== undefined && { context_length: model.context_length }),
      })),
    };
  },

  ollamaShow({ caller, body }) {
    const name = namedIn(body);
    const model = findModel(deps, caller, name);
    if (!model)
      throw unknownModel(
        deps.relay,
        { ...caller, models: listModels(deps, caller).map(({ id }) => id) },
        name,
      );
    return {
      ...{ license: "", modelfile: "", parameters: "", template: "", system: "", details: detailsIn(model) },
      model_info: infoOf(model),
      capabilities: capabilitiesOf(model, deps),
      modified_at: timeOf(model),
    };
  },
}));

/** Returns the name in a body. Throws request_invalid if there is none. */
export function namedIn({ model, name }: z.output<typeof NamedBody>): string {
  const found = model || name;
  if (found) return found;
  throw new AppError("request_invalid", { param: "model", hint: "`model` is missing: expected a text." });
}

/** A digest that agents do not report is one of the name, so that it stays the same. */
function entryOf(model: OfferedModel) {
  const { id, size = 0 } = model;
  return { name: id, model: id, size, digest: Bun.SHA256.hash(id, "hex"), details: detailsIn(model) };
}

const timeOf = ({ offeredAt }: OfferedModel): string => new Date(offeredAt).toISOString();

function detailsIn({ family = "", parameter_size = "", quantization = "" }: OfferedModel) {
  return {
    ...{ parent_model: "", format: "", family, families: family === "" ? [] : [family] },
    ...{ parameter_size, quantization_level: quantization },
  };
}

/** Clients look for the architecture, and by its name for the context length. */
function infoOf({
  id,
  family = "unknown",
  context_length: length,
}: OfferedModel): Record<string, string | number> {
  return {
    "general.architecture": family,
    "general.basename": id,
    ...(length !== undefined && { [`${family}.context_length`]: length }),
  };
}

/**
 * Returns the words for what a model can do. A client never sends tools to a model that is not said to take them, so a
 * model of which no agent tells its capabilities is said to, if it chats at all.
 */
function capabilitiesOf({ id, capabilities: known }: OfferedModel, deps: OllamaListDeps): string[] {
  if (known) return [...known];
  const { relay } = deps;
  const model = resolveModel(id, deps);
  const can = (endpoint: "chat/completions" | "embeddings") =>
    relay.canDo({ model, requests: [{ endpoint, stream: false, body: () => "" }] });
  if (can("chat/completions")) return ["completion", "tools"];
  return can("embeddings") ? ["embedding"] : ["completion"];
}
