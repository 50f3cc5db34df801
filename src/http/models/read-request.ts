import { AppError } from "../../errors.ts";
import { entriesOf } from "../../json/edit.ts";
import { CALLER_HEADERS, type Endpoint, isOllamaEndpoint } from "../../protocol/agent-v2.ts";
import { hasByteAnswer } from "../../protocol/endpoints.ts";
import type { AskContext } from "../../relay/conversation.ts";
import type { Relay } from "../../relay/relay.ts";
import type { ErrorStyle } from "../errors/style.ts";
import type { Framing } from "../middleware/event-stream.ts";
import type { Chain } from "./affinity/chain.ts";
import { affinityKeys } from "./affinity/keys.ts";
import type { ModelAsk } from "./ask.ts";
import { clearEntries } from "./clear-entries.ts";
import { checkAllowed, resolveModel } from "./names/allowed-models.ts";
import {
  checkFallbacks,
  configuredFallbacks,
  type FallbackNames,
  modelsToTry,
  requestedFallbacks,
} from "./names/fallbacks.ts";
import { unknownModel } from "./names/unknown-model.ts";
import { nativePlan } from "./native.ts";
import type { CallerFields } from "./responses/caller-fields.ts";
import type { OwnResponses } from "./responses/memory.ts";
import type { ModelAskBody } from "./schema.ts";
import { toolModelFault } from "./tool-models.ts";
import type { Translation, TranslationContext } from "./translation.ts";
import { translatedPlan } from "./translation.ts";
import { type V1PlanDeps, v1Plan } from "./v1-plan.ts";

/** The API of one model route. */
export interface ModelApi {
  endpoint: Endpoint;
  style: ErrorStyle;
  /** The model of a request that names none. */
  defaultModel?: string;
  /** Translates a request to a chat completion, if the API can be translated. */
  translate?: (body: unknown, context: TranslationContext) => Translation;
  /** Whether an answer is streamed unless the body says otherwise. Default: no. */
  streams?: "by default" | "never";
  /** How a stream is written. Default: as server-sent events. */
  framing?: Framing;
}

export interface ModelAskDeps extends V1PlanDeps, FallbackNames {
  relay: Relay;
  /** The beginning of the keys of affinity, see `affinitySeed`. */
  chainStart: Chain;
}

interface GivenRequest {
  /** The name of the model, which counts more than that in the body. */
  name: string;
  body: ModelAskBody;
  /** The body as the caller sent it, and its JSON. */
  text: string;
  json: unknown;
  headers: Headers;
  /** The earlier answers to which a request of the Responses API refers. */
  references?: {
    /** The caller's earlier responses, if any are kept. */
    responses: OwnResponses | undefined;
    /** The body for an upstream that knows none of them; undefined if it is the same. */
    expanded?: string | undefined;
    /** The only agent that may answer. */
    pin?: string | undefined;
    /** The fields of a response that say what the caller's request means. */
    callerFields?: CallerFields | undefined;
  };
}

/** Makes every plan by which a request may be answered. Throws an `AppError` if no agent can take any. */
export function readModelAsk(
  deps: ModelAskDeps,
  api: ModelApi,
  asker: AskContext,
  { name, body, text, json, headers, references }: GivenRequest,
): ModelAsk {
  const entries = clearEntries(text);
  const { expanded, pin, callerFields } = references ?? {};
  const { endpoint, style } = api;
  const { chainStart } = deps;
  const asked = resolveModel(name, deps);
  checkAllowed(asked, asker.models);
  const mayPassLists = checkFallbacks(json, asker.models, deps);
  const others = [...requestedFallbacks(endpoint, json), ...configuredFallbacks(endpoint, name, deps)];
  const [model, ...fallbacks] = modelsToTry(name, others, asker.models, deps);
  if (model === undefined) throw unknownModel(deps.relay, asker, name);
  const isAsked = (used: string) => used === asked;
  // The server itself goes on to the next model, so the agent of a fallback gets no list.
  const passesLists = (used: string) => mayPassLists && isAsked(used);
  const stream = api.streams === "never" ? false : (body.stream ?? api.streams === "by default");
  const native = nativePlan(endpoint, {
    ...{ text: expanded ?? text, entries: expanded === undefined ? entries : entriesOf(expanded) },
    ...{ body, stream, passesLists, style, callerFields },
    headers: passedHeaders(headers),
  });
  const fault = toolModelFault(text, json, asker.models);
  const plans = fault ? [] : [native];
  const affinity = affinityKeys(endpoint, { text, json, entries, headers, chainStart });
  const ask: ModelAsk = {
    ...{ asker, model, fallbacks, isAsked, stream, plans, style, affinity, chainStart },
    ...{ v1: undefined, pin },
  };
  const refusal = addPlans({ ask, json, passesLists, responses: references?.responses }, deps, api);
  if (fault && plans.length === 0) throw fault;
  const requests = ask.plans.map(({ request }) => request);
  // If agents offer one of the models, and none of them can take any of the plans, waiting would not help.
  // Without any such agent, the relay knows best whether to wait.
  const offered = [model, ...fallbacks].filter((each) => deps.relay.offersModel(each));
  const canUse = (each: string) => deps.relay.canDo({ model: each, requests, v1: ask.v1?.request });
  if (offered.length === 0 || offered.some(canUse)) return ask;
  if (fault ?? refusal) throw fault ?? refusal;
  const paths = requests.map((request) => pathOf(request.endpoint));
  const wayOut = hasByteAnswer(endpoint) ? ` ${BYTES_NEED}` : "";
  const hint = `No agent that offers the model supports ${paths.join(" or ")}.${wayOut}`;
  throw new AppError("endpoint_unsupported", { param: "model", hint });
}

const BYTES_NEED =
  "If the model server has it, its agent long-polls or is old: let its WebSocket through, or update the agent.";

const pathOf = (endpoint: Endpoint) => (isOllamaEndpoint(endpoint) ? `/${endpoint}` : `/v1/${endpoint}`);

interface ReadRequest {
  ask: ModelAsk;
  json: unknown;
  passesLists: (model: string) => boolean;
  responses: OwnResponses | undefined;
}

/** Adds the further plans that are possible. Returns why one was not. */
function addPlans(
  { ask, json, passesLists, responses }: ReadRequest,
  deps: ModelAskDeps,
  api: ModelApi,
): AppError | undefined {
  try {
    let chat = api.endpoint === "chat/completions" ? json : undefined;
    if (api.translate) {
      const { newId, now } = deps;
      const translation = api.translate(json, { newId, now, responses });
      ask.plans.push(translatedPlan(translation, ask.stream, passesLists));
      chat = translation.endpoint === undefined ? translation.request : undefined;
    }
    const mayBeV1 = [ask.model, ...ask.fallbacks].some((model) => deps.relay.hasV1Agent(model));
    if (chat !== undefined && mayBeV1) ask.v1 = v1Plan(deps, ask.asker, chat);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

const HEADER_LENGTH_MAX = 2048;

function passedHeaders(headers: Headers): Record<string, string> {
  const passed = CALLER_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value === null || value.length > HEADER_LENGTH_MAX ? [] : [[name, value]];
  });
  return Object.fromEntries(passed);
}
