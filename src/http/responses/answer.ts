import { AppError } from "../../errors.ts";
import { field, textField } from "../../json/parse.ts";
import { userIdOf } from "../../principal.ts";
import { estimateTokens } from "../../protocol/token-estimate.ts";
import type { AskContext } from "../../relay/conversation.ts";
import { askContext } from "../ask-context.ts";
import type { Exchange } from "../exchange.ts";
import { parseShape } from "../middleware/body.ts";
import type { StreamAskDeps } from "../middleware/stream-ask.ts";
import { responseKey } from "../models/affinity/keys.ts";
import type { ModelAsk } from "../models/ask.ts";
import { allowedModels } from "../models/names/allowed-models.ts";
import { type ModelApi, type ModelAskDeps, readModelAsk } from "../models/read-request.ts";
import { CallerFields } from "../models/responses/caller-fields.ts";
import { isKeptUpstream } from "../models/responses/kept-response.ts";
import type { OwnResponses } from "../models/responses/memory.ts";
import { notContinued } from "../models/responses/recall.ts";
import { isReference } from "../models/responses/reference.ts";
import { type ModelAskBody, NamedModel } from "../models/schema.ts";
import { deploymentOf } from "../path-aliases.ts";
import { type Background, backgroundBody } from "./background.ts";
import { type ExpandedInput, expandedBody, expandInput, referencesOf } from "./expand.ts";
import { type KeeperDeps, type KeptRequest, ResponseKeeper } from "./keeper.ts";
import { type Asked, answerStreamed, answerWhole } from "./run-answer.ts";

export interface AnswerDeps extends KeeperDeps {
  background: Background;
}

type Deps = AnswerDeps & ModelAskDeps & StreamAskDeps;

interface Request {
  exchange: Exchange;
  caller: Parameters<typeof askContext>[1];
  body: ModelAskBody;
  text: string;
  json: unknown;
}

interface ReadRequest extends Asked {
  kept: KeptRequest;
}

/** Only a request that matches refers to earlier answers, but for references without a type. */
const REFERS_BACK = /"(previous_response_id|item_reference|conversation)"/;

function refersBack(text: string, json: unknown): boolean {
  if (REFERS_BACK.test(text)) return true;
  const input = field(json, "input");
  return Array.isArray(input) && input.some(isReference);
}

/**
 * Answers a request of the Responses API: as any model request, with what it refers to in its place, and its answer is
 * kept. Not `async`: the runtime keeps the parameters of an `async` function, here the body and its JSON, until its end.
 */
export function answerResponse(deps: Deps, api: ModelApi, request: Request): Promise<Response> {
  const { exchange, caller, text, json } = request;
  const asker = askContext(exchange, caller, api.endpoint, allowedModels(caller, deps));
  const owner = userIdOf(caller.principal);
  const { shelf } = deps;
  const known = shelf.of(caller.principal);
  if (!refersBack(text, json)) return answer(deps, api, request, { asker, known, input: undefined });
  const conversation = conversationOf(json);
  const loading = [
    known && shelf.load(owner, referencesOf(json), known),
    known && conversation !== undefined ? readConversation(deps, owner, conversation, known) : undefined,
  ].filter((each) => each !== undefined);
  const go = () => {
    const input = known && expandInput(json, known);
    return answer(deps, api, request, { asker, known, input });
  };
  return loading.length > 0 ? Promise.all(loading).then(go) : go();
}

/** Returns the id of the conversation that a request names. Throws if it also continues a response. */
function conversationOf(json: unknown): string | undefined {
  const given = field(json, "conversation");
  const id = typeof given === "string" ? given : textField(given, "id");
  if (id === undefined || field(json, "previous_response_id") == null) return id;
  throw new AppError("request_invalid", {
    param: "conversation",
    hint: "Send either `conversation` or `previous_response_id`.",
  });
}

/** Reads the conversation. One that is not known here may be known to the upstream. */
async function readConversation(
  deps: Deps,
  owner: string | null,
  id: string,
  known: OwnResponses,
): Promise<void> {
  const conversation = await deps.conversations.read(owner, id).catch((error) => {
    if (error instanceof AppError && error.code === "conversation_unknown") return undefined;
    throw error;
  });
  if (!conversation) return;
  deps.conversations.checkRoom(conversation);
  known.conversationItems = conversation.items;
}

interface Context {
  asker: AskContext;
  known: OwnResponses | undefined;
  /** Undefined if the request refers to nothing, or nothing is kept. */
  input: ExpandedInput | undefined;
}

function answer(deps: Deps, api: ModelApi, request: Request, context: Context): Promise<Response> {
  const { exchange, body, text, json } = request;
  const { asker, known, input } = context;
  const isBackground = field(json, "background") === true;
  if (isBackground) checkBackground(json, known);
  const asked = read(deps, api, request, context, isBackground);
  const { ask } = asked;
  exchange.model = ask.model;
  const isStreamed = body.stream === true;
  const start = () => {
    if (isBackground) return deps.background.start(exchange, asked.ask, asked.kept, isStreamed, api.style);
    return ask.stream
      ? answerStreamed(exchange, deps, asked, api.style.keepAlive)
      : answerWhole(exchange, deps, asked);
  };
  const reserving = input ? asker.reserve?.(() => addedTokens(ask, text)) : undefined;
  return reserving instanceof Promise ? reserving.then(start) : start();
}

function checkBackground(json: unknown, known: OwnResponses | undefined): void {
  const param = "background";
  if (field(json, "store") === false)
    throw new AppError("request_invalid", { param, hint: "A response in the background needs `store`." });
  if (!known)
    throw new AppError("request_invalid", {
      param,
      hint: "This server keeps no responses. Leave `background` out.",
    });
}

function read(
  deps: Deps,
  api: ModelApi,
  request: Request,
  context: Context,
  isBackground: boolean,
): ReadRequest {
  const { exchange, body, text, json } = request;
  const { asker, known, input } = context;
  const { headers, url } = exchange.request;
  // Azure ignores the body's model, too.
  const { model } = parseShape(NamedModel, { model: deploymentOf(url) ?? body.model }, "request_invalid");
  const sent = isBackground ? backgroundBody({ body, text, json }) : { body, text, json };
  const expanded = input && (input.responses.length > 0 || known?.conversationItems) ? input.all : undefined;
  checkPrevious(json, input, known);
  // No upstream knows a conversation of this server.
  const isForAny = isBackground || known?.conversationItems !== undefined;
  const place = isForAny ? undefined : placeOf(deps, asker, model, json, { input, known });
  const given = { name: model, ...sent, headers };
  const whole = expanded && expandedBody(sent.text, expanded);
  const keeps = known !== undefined && field(json, "store") !== false;
  const previous = textField(json, "previous_response_id");
  const conversation = known?.conversationItems && conversationOf(json);
  const references = whole === undefined ? undefined : referredTo(previous, conversation);
  const callerFields = new CallerFields({ store: keeps, references });
  const readAsk = (pin?: string) => {
    // What has been looked up counts for one form of the request.
    const isExpanded = pin === undefined;
    const again = { responses: known?.again(), expanded: isExpanded ? whole : undefined, pin, callerFields };
    return readModelAsk(deps, api, asker, { ...given, references: again });
  };
  const ask = readAsk(place);
  const owner = userIdOf(asker.principal);
  const kept = { owner, previous, conversation, request: text, input: input?.own, model, callerFields };
  return {
    ...{ ask, kept, keeper: keeps ? new ResponseKeeper(deps, kept) : undefined },
    expanded: place !== undefined && whole !== undefined && input?.isWhole ? () => readAsk() : undefined,
  };
}

/** Returns what a response says of the request that it answers. */
const referredTo = (previous: string | undefined, conversation: string | undefined) => ({
  previous_response_id: previous ?? null,
  ...(conversation !== undefined && { conversation: { id: conversation } }),
});

/**
 * Refuses a request that continues a response which this server knows to be of no use. Its upstream would say at most
 * that it does not know the response. One that the upstream keeps is the upstream's to judge.
 */
function checkPrevious(
  json: unknown,
  input: ExpandedInput | undefined,
  known: OwnResponses | undefined,
): void {
  const { previous } = referencesOf(json);
  if (previous === undefined || !known || !input || input.all !== undefined) return;
  const response = known.response(previous);
  const why = known.whyNot(previous);
  const isUseless = why === "being_made" || (why === "failed" && !(response && isKeptUpstream(response)));
  if (isUseless) throw notContinued(why);
}

/**
 * Returns the only agent that can answer without knowing the history: its upstream keeps the response that the request
 * refers to, or this server does not know it any more. Undefined if any agent can.
 */
function placeOf(
  { relay, chainStart }: Deps,
  { principal }: AskContext,
  model: string,
  json: unknown,
  { input, known }: Pick<Context, "input" | "known">,
): string | undefined {
  const { previous, items } = referencesOf(json);
  if (previous === undefined && items.length === 0) return undefined;
  const [first, ...others] = input?.responses ?? [];
  if (first && input?.isWhole) {
    const { agent } = first;
    const isThere = (each: typeof first) =>
      each.agent === agent && each.model === model && isKeptUpstream(each);
    if (agent === undefined || ![first, ...others].every(isThere)) return undefined;
    return relay.isConnected(agent) ? agent : undefined;
  }
  if (previous === undefined) return undefined;
  const keys = { known: [responseKey(previous, chainStart)], kept: [] };
  const agent = relay.affinity.find(principal, model, keys);
  if (agent === undefined || mayHave(relay, agent)) return agent;
  const why = known?.whyNot(previous) ?? "unknown";
  if (why !== "unknown") throw notContinued(why);
  throw new AppError("request_untranslatable", {
    param: "previous_response_id",
    upstream: { code: "previous_response_not_found" },
    hint: "The problem is `previous_response_id`: this server does not know the response, and no connected agent has it. Send the whole conversation in `input`.",
  });
}

/** Whether an agent is connected whose upstream may keep responses. Other nodes tell nothing about theirs. */
function mayHave(relay: Deps["relay"], id: string): boolean {
  for (const agent of relay.agents()) if (agent.id === id) return agent.offer.endpoints.includes("responses");
  return relay.isConnected(id);
}

/** Estimates the tokens of the earlier answers that the server has added to the body of a request. */
function addedTokens({ plans, model }: ModelAsk, body: string): number {
  const sent = plans.at(-1)?.request.body(model, new Set()) ?? "";
  return Math.max(0, estimateTokens(sent) - estimateTokens(body));
}
