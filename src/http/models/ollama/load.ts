import type { Caller } from "../../../auth/callers.ts";
import type { OfferedModel } from "../../../relay/offers/offered-model.ts";
import { JSON_HEADERS } from "../../middleware/headers.ts";
import { allowedModels, checkAllowed, resolveModel } from "../names/allowed-models.ts";
import { findModel, type ModelListDeps } from "../names/offered-list.ts";
import { unknownModel } from "../names/unknown-model.ts";

export interface LoadRequest {
  model: string;
  isChat: boolean;
  stream: boolean;
  keepAlive: unknown;
}

/** Ollama's words for no time: `0`, `"0"`, `"0s"`. */
const NO_TIME = /^0+(\.0*)?(ns|us|µs|ms|s|m|h)?$/;

/**
 * Returns the answer to a request without messages or a prompt, by which clients load a model, or unload it. The agents'
 * upstreams decide themselves what they have in memory, so the server only says that the model is there.
 */
export function loaded({ model, isChat, stream, keepAlive }: LoadRequest, now: number): Response {
  const answer = {
    model,
    created_at: new Date(now).toISOString(),
    ...(isChat ? { message: { role: "assistant", content: "" } } : { response: "" }),
    done: true,
    done_reason: NO_TIME.test(String(keepAlive)) ? "unload" : "load",
  };
  const headers = stream ? { "content-type": "application/x-ndjson" } : JSON_HEADERS;
  return new Response(`${JSON.stringify(answer)}\n`, { headers });
}

/** Returns the model of that name. Throws an `AppError` if no agent offers it, or the caller may not use it. */
export function requireModel(deps: ModelListDeps, caller: Caller, name: string): OfferedModel {
  const models = allowedModels(caller, deps);
  checkAllowed(resolveModel(name, deps), models);
  const found = findModel(deps, caller, name);
  if (!found) throw unknownModel(deps.relay, { principal: caller.principal, models }, name);
  return found;
}
