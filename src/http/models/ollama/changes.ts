import { z } from "zod";
import { AppError } from "../../../errors.ts";
import { ollamaStyle } from "../../errors/ollama.ts";
import { ok, resource, route } from "../../route.ts";
import { namedObject, SAMPLE } from "../../values.ts";
import { findModel } from "../names/offered-list.ts";
import { NAMED_BYTES_MAX, NamedBody, namedIn, type OllamaListDeps } from "./list.ts";

const Status = namedObject("OllamaStatus", { status: z.literal("success") });
const SUCCESS = { status: "success" } as const;
const LINE = `${JSON.stringify(SUCCESS)}\n`;

const HINT = "Run this on the machine of an agent. What its model server has appears here by itself.";

const declared = {
  access: "caller",
  style: ollamaStyle,
  description: "Always refused: models are changed where they are.",
  errors: ["models_read_only"],
} as const;
const refusedAlways = {} as const;

const ROUTES = {
  ollamaPull: route("POST /api/pull", {
    access: "caller",
    style: ollamaStyle,
    summary: "Have a model that is there already",
    description:
      "Clients pull a model before they use it. That succeeds at once if an agent offers the model, and is refused otherwise.",
    body: {
      schema: NamedBody.extend({ stream: z.boolean().nullish().describe("Default: true.") }),
      example: { model: SAMPLE.model },
      error: "request_invalid",
      bytesMax: NAMED_BYTES_MAX,
    },
    answers: {
      200: {
        ...ok("The model is there.", Status, SUCCESS)[200],
        other: { "application/x-ndjson": { description: "The same as a line.", example: LINE } },
      },
    },
    errors: ["models_read_only"],
  }),
  ollamaPush: route("POST /api/push", {
    ...declared,
    summary: "Upload a model, which is refused",
    answers: refusedAlways,
  }),
  ollamaCreate: route("POST /api/create", {
    ...declared,
    summary: "Create a model, which is refused",
    answers: refusedAlways,
  }),
  ollamaCopy: route("POST /api/copy", {
    ...declared,
    summary: "Copy a model, which is refused",
    answers: refusedAlways,
  }),
  ollamaDelete: route("DELETE /api/delete", {
    ...declared,
    summary: "Delete a model, which is refused",
    answers: refusedAlways,
  }),
  ollamaBlob: route("POST /api/blobs/:digest", {
    ...declared,
    summary: "Upload a file of a model, which is refused",
    params: { digest: "The file's digest." },
    answers: refusedAlways,
  }),
};

/** The routes by which an Ollama changes its models. The agents' upstreams are not changed through the server. */
export const ollamaChangeRoutes = resource("Ollama", ROUTES).handledBy((deps: OllamaListDeps) => {
  const refuse = (): never => {
    throw new AppError("models_read_only", { hint: HINT });
  };
  return {
    ollamaPull({ caller, body }) {
      const model = findModel(deps, caller, namedIn(body));
      if (!model)
        throw new AppError("models_read_only", {
          param: "model",
          hint: `No agent offers the model. ${HINT}`,
        });
      if (body.stream === false) return SUCCESS;
      return new Response(LINE, { headers: { "content-type": "application/x-ndjson" } });
    },
    ollamaPush: refuse,
    ollamaCreate: refuse,
    ollamaCopy: refuse,
    ollamaDelete: refuse,
    ollamaBlob: refuse,
  };
});
