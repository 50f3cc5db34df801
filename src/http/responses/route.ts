import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { type Principal, userIdOf } from "../../principal.ts";
import { responsesStyle } from "../errors/openai.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";
import { JSON_HEADERS } from "../middleware/headers.ts";
import { inputOf, responseIn } from "../models/responses/kept-response.ts";
import { AnswerShape } from "../models/schema.ts";
import { ok, resource, route } from "../route.ts";
import type { Background } from "./background.ts";
import { withOwnIds } from "./item-ids.ts";
import { pageOf } from "./item-page.ts";
import { elsewhere, LOST, type ResponsePeers, readableAt } from "./nodes/peers.ts";
import { type Readable, readRecording } from "./read-recording.ts";
import { eventsAfter, notResumable } from "./recording.ts";
import { Deleted, ItemList, ItemsQuery, ReadResponseQuery } from "./schema.ts";
import type { FoundResponse, ResponseShelf } from "./shelf.ts";
import { readHeld } from "./stored-text.ts";

export interface ResponseDeps {
  shelf: ResponseShelf;
  background: Background;
  clock: Clock;
  /** Whether the process of this name works on. */
  isAlive: (holder: string) => boolean;
  /** The name of this process. */
  holder: string;
  /** The other nodes of a cluster. */
  peers: ResponsePeers | undefined;
}

const EXAMPLE = { id: "resp_1", object: "response", status: "completed", output: [] };
const EVENT = 'event: response.completed\ndata: {"type":"response.completed","sequence_number":9}\n\n';
const PARAMS = { id: "The id of a response." };
const COMMON = { access: "caller", limits: "show", style: responsesStyle } as const;
const passedOn = (description: string) =>
  ({ description, isPassedOn: true, json: AnswerShape.response, example: EXAMPLE }) as const;

const ROUTES = {
  readResponse: route("GET /v1/responses/:id", {
    ...COMMON,
    summary: "Read a response, or go on with its stream",
    description:
      "With `stream=true`, the answer has the events of a streamed response after the event `starting_after`, and then those to come.",
    params: PARAMS,
    query: ReadResponseQuery,
    answers: {
      200: {
        ...passedOn("The response as it is now, or the stream of it."),
        headers: ["x-accel-buffering"],
        other: { "text/event-stream": { description: "The same events as at first.", example: EVENT } },
      },
    },
    errors: ["response_unknown", "response_not_resumable", "response_elsewhere", "database_away"],
  }),
  deleteResponse: route("DELETE /v1/responses/:id", {
    ...COMMON,
    summary: "Delete a response",
    description: "A response that is being made is ended.",
    params: PARAMS,
    answers: ok("Deleted.", Deleted, { id: "resp_1", object: "response", deleted: true }),
    errors: ["response_unknown", "database_away"],
  }),
  cancelResponse: route("POST /v1/responses/:id/cancel", {
    ...COMMON,
    summary: "Cancel a response in the background",
    params: PARAMS,
    answers: { 200: passedOn("The response; unchanged if it had ended before.") },
    errors: ["response_unknown", "response_elsewhere", "request_invalid", "database_away"],
  }),
  listInputItems: route("GET /v1/responses/:id/input_items", {
    ...COMMON,
    summary: "List the items of the request for a response",
    description: "Those of the responses that it continues are not among them.",
    params: PARAMS,
    query: ItemsQuery,
    answers: ok("The items.", ItemList, {
      object: "list",
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
    }),
    errors: ["response_unknown", "database_away"],
  }),
};

/** The responses that are kept. Nobody gets those of another. */
export const responseRoutes = resource("Models", ROUTES).handledBy((deps: ResponseDeps) => ({
  async readResponse({ exchange, caller, params, query }) {
    const found = await find(deps, caller.principal, params.id);
    if (query.stream !== "true") return json(currentOf(deps, found));
    const { clock } = deps;
    const reader = { clock, signal: exchange.request.signal, style: responsesStyle };
    const after = query.starting_after ?? -1;
    return readRecording(await readable(deps, caller.principal, found, after), after, reader);
  },

  async deleteResponse({ caller, params: { id } }) {
    if (!(await deps.shelf.delete(userIdOf(caller.principal), id))) throw unknown(deps);
    return { id, object: "response", deleted: true as const };
  },

  async cancelResponse({ caller, params: { id } }) {
    const found = await find(deps, caller.principal, id);
    if (currentOf(deps, found)["background"] !== true)
      throw new AppError("request_invalid", {
        hint: "Only a response that was made with `background: true` can be cancelled.",
      });
    if (isElsewhere(deps, found)) return json(await cancelElsewhere(deps, caller.principal, found));
    const { recording } = found;
    if (recording && deps.background.cancel(recording)) await recording.ended();
    return json(currentOf(deps, await find(deps, caller.principal, id)));
  },

  async listInputItems({ caller, params: { id }, query }) {
    const { response } = await find(deps, caller.principal, id);
    const newId = (_: unknown, index: number) => `item_${id.replace(/^resp_/, "")}_${index}`;
    return pageOf(withOwnIds(inputOf(response), { newId }), query);
  },
}));

async function find(deps: ResponseDeps, principal: Principal, id: string): Promise<FoundResponse> {
  const found = await deps.shelf.find(userIdOf(principal), id);
  if (!found) throw unknown(deps);
  return found;
}

function unknown({ shelf }: ResponseDeps): AppError {
  const hint = shelf.isOn
    ? "It was never kept, is kept no longer, or was deleted."
    : "This server keeps no responses (--response-memory).";
  return new AppError("response_unknown", { hint });
}

/** Returns the response as it is now. One whose process has stopped has failed. */
function currentOf(deps: ResponseDeps, found: FoundResponse): Record<string, unknown> {
  const { response, now, running } = found;
  const current = responseIn(now ?? response.answer) ?? {};
  if (!running || isHere(deps, running.holder) || isElsewhere(deps, found)) return current;
  return { ...current, status: "failed", error: LOST };
}

const isHere = ({ holder }: ResponseDeps, other: string): boolean => other === holder;

/** Whether another node works on the response. */
const isElsewhere = (deps: ResponseDeps, { running }: FoundResponse): boolean =>
  running !== undefined && !isHere(deps, running.holder) && deps.isAlive(running.holder);

async function cancelElsewhere(
  deps: ResponseDeps,
  principal: Principal,
  { running, response }: FoundResponse,
) {
  const text = await deps.peers?.cancel(userIdOf(principal), response.id, running?.holder ?? "");
  const held = text === undefined ? undefined : readHeld(text);
  if (!held) throw elsewhere();
  return responseIn(held.now ?? held.response.answer);
}

/** Returns what has the events of the response. Throws `response_not_resumable` or `response_elsewhere`. */
async function readable(
  deps: ResponseDeps,
  principal: Principal,
  found: FoundResponse,
  after: number,
): Promise<Readable> {
  const { recording, events, running, response } = found;
  if (recording && !recording.isTooLong) return recording;
  if (events) return readableFrom(events);
  const owner = userIdOf(principal);
  const isMade = isElsewhere(deps, found);
  const nodeId = isMade ? running?.holder : await deps.shelf.eventsAt(owner, response.id);
  if (nodeId === undefined || !deps.peers) throw notResumable();
  return readableAt(await deps.peers.read(owner, response.id, nodeId, after), response);
}

function readableFrom(events: readonly ServerEvent[]): Readable {
  return {
    read(sink, after) {
      sink.sendAll(eventsAfter(events, after));
      sink.end();
      return () => {};
    },
  };
}

const json = (value: unknown): Response => new Response(JSON.stringify(value), { headers: JSON_HEADERS });
