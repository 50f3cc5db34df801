import { AppError } from "../../errors.ts";
import { CALLER_HEADERS, type Endpoint } from "../../protocol/agent-v2.ts";
import type { AskContext } from "../../relay/conversation.ts";
import type { HttpDeps } from "../context.ts";
import { parseJson, parseShape, readText } from "../middleware/body.ts";
import { checkAllowed, resolveModel } from "./allowed.ts";
import type { ModelAsk } from "./ask.ts";
import { nativeWay, translatedWay } from "./plan.ts";
import { ModelAskHead } from "./schema.ts";
import type { Translation, TranslationContext } from "./translation.ts";
import { v1Plan } from "./v1-plan.ts";

/** One of the model routes. */
export interface ModelRoute {
  endpoint: Endpoint;
  /** How it is said as a chat completion, where it can be. */
  translate?: (body: unknown, context: TranslationContext) => Translation;
}

/** The request's body, and every way there is to have it answered. Throws an `AppError` when there is none. */
export async function readModelAsk(
  request: Request,
  deps: HttpDeps,
  asker: AskContext,
  route: ModelRoute,
): Promise<ModelAsk> {
  const text = await readText(request, deps);
  const value = parseJson(text, "request_invalid");
  const head = parseShape(ModelAskHead, value, "request_invalid");
  const model = resolveModel(head.model, deps.modelAliases);
  checkAllowed(model, asker.models);
  const ask: ModelAsk = {
    asker,
    head,
    model,
    ways: [nativeWay(route.endpoint, { text, head, model, headers: passedHeaders(request.headers) })],
    v1: undefined,
  };
  if (!deps.relay.knowsModel(model)) throw unknownModel(deps, asker);
  const refusal = addOtherWays(ask, value, deps, route);
  checkThatSomebodyCan(ask, refusal, deps, route);
  return ask;
}

/** Adds what can be added; gives why another way could not be. */
function addOtherWays(
  ask: ModelAsk,
  value: unknown,
  deps: HttpDeps,
  route: ModelRoute,
): AppError | undefined {
  const stream = ask.head.stream ?? false;
  try {
    let chat = route.endpoint === "chat/completions" ? value : undefined;
    if (route.translate) {
      const translation = route.translate(value, deps);
      ask.ways.push(translatedWay(translation, stream, ask.model));
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

/** With nobody there the relay knows best whether to wait; with somebody who cannot, waiting is no use. */
function checkThatSomebodyCan(
  { model, ways, v1 }: ModelAsk,
  refusal: AppError | undefined,
  { relay }: HttpDeps,
  { endpoint }: ModelRoute,
): void {
  const requests = ways.map(({ request }) => request);
  if (!relay.offersModel(model) || relay.canDo({ model, requests, v1: v1?.request })) return;
  if (refusal) throw refusal;
  const hint = `No agent that offers this model has /v1/${endpoint}.`;
  throw new AppError("endpoint_unsupported", { param: "model", hint });
}

function passedHeaders(headers: Headers): Record<string, string> {
  const passed = CALLER_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value === null || value.length > HEADER_LENGTH_MAX ? [] : [[name, value]];
  });
  return Object.fromEntries(passed);
}

const LISTED_MAX = 20;
const HEADER_LENGTH_MAX = 2048;

function unknownModel({ relay }: HttpDeps, { models }: AskContext): AppError {
  const offered = relay.models().map(({ id }) => id);
  // After a start the agents have yet to come back, and with them the model, most likely.
  if (offered.length === 0) return new AppError("no_agent");
  const ids = models ? offered.filter((id) => models.includes(id)) : offered;
  const more = ids.length > LISTED_MAX ? `, and ${ids.length - LISTED_MAX} more` : "";
  const there =
    ids.length > 0 ? `There are ${ids.slice(0, LISTED_MAX).join(", ")}${more}.` : "None is for you.";
  return new AppError("model_not_found", { param: "model", hint: there });
}
