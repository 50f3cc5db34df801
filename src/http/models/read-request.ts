import { AppError } from "../../errors.ts";
import { CALLER_HEADERS, type Endpoint } from "../../protocol/agent-v2.ts";
import type { AskContext } from "../../relay/conversation.ts";
import type { HttpDeps } from "../context.ts";
import type { ErrorStyle } from "../errors/style.ts";
import { parseJson, parseShape, readText } from "../middleware/body.ts";
import { checkAllowed, resolveModel } from "./allowed-models.ts";
import type { ModelAsk } from "./ask.ts";
import { nativePlan } from "./native.ts";
import { ModelAskBody } from "./schema.ts";
import { translatedPlan } from "./translated.ts";
import type { Translation, TranslationContext } from "./translation.ts";
import { v1Plan } from "./v1-plan.ts";

/** One of the model routes. */
export interface ModelRoute {
  endpoint: Endpoint;
  style: ErrorStyle;
  /** Translates a request to a chat completion, if the API can be translated. */
  translate?: (body: unknown, context: TranslationContext) => Translation;
}

/**
 * Reads a request, and makes every plan by which it may be answered. Throws an `AppError` if there is none.
 */
export async function readModelAsk(
  request: Request,
  deps: HttpDeps,
  asker: AskContext,
  route: ModelRoute,
): Promise<ModelAsk> {
  const text = await readText(request, deps);
  const value = parseJson(text, "request_invalid");
  const head = parseShape(ModelAskBody, value, "request_invalid");
  const model = resolveModel(head.model, deps.modelAliases);
  checkAllowed(model, asker.models);
  const { endpoint, style } = route;
  const headers = passedHeaders(request.headers);
  const ask: ModelAsk = {
    asker,
    model,
    stream: head.stream ?? false,
    plans: [nativePlan(endpoint, { text, head, model, headers, style })],
    v1: undefined,
  };
  if (!deps.relay.knowsModel(model)) throw unknownModel(head.model, deps, asker);
  const refusal = addPlans(ask, value, deps, route);
  checkThatAnAgentCan(ask, refusal, deps, route);
  return ask;
}

/** Adds the further plans that are possible. Returns why one was not. */
function addPlans(
  ask: ModelAsk,
  value: unknown,
  deps: HttpDeps,
  { endpoint, translate }: ModelRoute,
): AppError | undefined {
  try {
    let chat = endpoint === "chat/completions" ? value : undefined;
    if (translate) {
      const translation = translate(value, deps);
      ask.plans.push(translatedPlan(translation, ask.stream, ask.model));
      chat = translation.request;
    }
    const isForV1 = chat !== undefined && deps.relay.hasV1Agent(ask.model);
    if (isForV1) ask.v1 = v1Plan(deps, ask.asker, chat, ask.model);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/**
 * Throws if agents offer the model, and none of them can take any of the plans: waiting would not help.
 * Without any such agent, the relay knows best whether to wait.
 */
function checkThatAnAgentCan(
  { model, plans, v1 }: ModelAsk,
  refusal: AppError | undefined,
  { relay }: HttpDeps,
  { endpoint }: ModelRoute,
): void {
  const requests = plans.map(({ request }) => request);
  if (!relay.offersModel(model) || relay.canDo({ model, requests, v1: v1?.request })) return;
  if (refusal) throw refusal;
  const hint = `No agent that offers this model supports /v1/${endpoint}.`;
  throw new AppError("endpoint_unsupported", { param: "model", hint });
}

const HEADER_LENGTH_MAX = 2048;

function passedHeaders(headers: Headers): Record<string, string> {
  const passed = CALLER_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value === null || value.length > HEADER_LENGTH_MAX ? [] : [[name, value]];
  });
  return Object.fromEntries(passed);
}

const LISTED_MAX = 20;

function unknownModel(name: string, { relay }: HttpDeps, { models }: AskContext): AppError {
  const offered = relay.models().map(({ id }) => id);
  // After a start the agents have yet to come back, most likely with the model.
  if (offered.length === 0) return new AppError("no_agent");
  const ids = models ? offered.filter((id) => models.includes(id)) : offered;
  const more = ids.length > LISTED_MAX ? `, and ${ids.length - LISTED_MAX} more` : "";
  const hint =
    ids.length > 0
      ? `Available models: ${ids.slice(0, LISTED_MAX).join(", ")}${more}.`
      : "You may not use any of the available models.";
  return new AppError("model_not_found", { param: "model", hint, ...modelNamed(name) });
}

/** A name that people would not recognize in a sentence is left out of it. */
function modelNamed(name: string): { message?: string } {
  return /^[\w.:/@+-]{1,100}$/.test(name) ? { message: `The model \`${name}\` does not exist` } : {};
}
