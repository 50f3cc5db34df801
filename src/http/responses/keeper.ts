import { AppError } from "../../errors.ts";
import { parseJson, textField } from "../../json/parse.ts";
import { causeOf, type Log } from "../../log/log.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";
import { responseIdOf } from "../models/affinity/response-id.ts";
import type { ModelReply } from "../models/ask.ts";
import type { CallerFields } from "../models/responses/caller-fields.ts";
import { isTerminal, typeOf } from "../models/responses/events.ts";
import {
  inputOf,
  type KeptResponse,
  outputOf,
  responseIn,
  responseOf,
} from "../models/responses/kept-response.ts";
import type { Typed } from "../models/responses/schema.ts";
import type { Conversations } from "./conversations.ts";
import type { Recording } from "./recording.ts";
import type { ResponseShelf } from "./shelf.ts";

export interface KeeperDeps {
  shelf: ResponseShelf;
  conversations: Conversations;
  now: () => number;
  log: Log;
}

/** The request whose response is kept. */
export interface KeptRequest extends Pick<KeptResponse, "previous" | "request" | "input" | "model"> {
  owner: string | null;
  /** The id of the conversation to which its turn is added. */
  conversation: string | undefined;
  callerFields: CallerFields;
}

/** Keeps the response to one request, in whatever form it comes. */
export class ResponseKeeper {
  #saved: Promise<unknown> | undefined;
  /** The event that ended the response. */
  #last: ServerEvent | undefined;
  #newest: ServerEvent | undefined;

  constructor(
    private readonly deps: KeeperDeps,
    private readonly asked: KeptRequest,
  ) {}

  /** Keeps an answer that was not streamed. */
  whole({ status, body, agent, isNative }: ModelReply): void {
    const id = status < 300 ? responseIdOf(body) : undefined;
    if (id === undefined) return;
    const response = this.#response(id, body, { agent, isNative });
    this.deps.shelf.keep(this.asked.owner, response);
    this.#addTurn(response);
  }

  /** Begins the recording of a streamed response. */
  record(): Recording {
    return this.deps.shelf.begin(this.asked.owner);
  }

  /** Adds events of a streamed response to its recording. */
  add(recording: Recording, events: readonly ServerEvent[]): void {
    recording.add(events);
    const { id } = recording;
    if (id === undefined || recording.isDeleted) return;
    recording.response ??= this.#response(id, events[0]?.data ?? "", {});
    const last = events.at(-1);
    this.#newest = last ?? this.#newest;
    if (!last || !isTerminal(last) || this.#last) return;
    this.#last = last;
    if (recording.isForgotten) return;
    // The caller may refer to it before the stream has ended.
    const response = this.#response(id, last.data, {});
    this.deps.shelf.remember(this.asked.owner, response);
    this.#addTurn(response);
  }

  /** The stream has ended, well or not. Its recording can be read for a while. */
  end(recording: Recording, made: { agent?: string; isNative?: boolean } = {}): void {
    const { id } = recording;
    const log = recording.isTooLong ? undefined : recording.log;
    const answer = this.#last?.data ?? brokenOff(recording, this.#newest);
    if (id !== undefined && answer !== undefined && !recording.isEnded && !recording.isDeleted)
      this.deps.shelf.keep(this.asked.owner, this.#response(id, answer, made), {
        log,
        inMemory: !recording.isForgotten,
      });
    recording.end();
  }

  /** Resolves once a request that follows finds the response. Undefined if there is nothing to wait for. */
  saved(): Promise<unknown> | undefined {
    const shared = this.deps.shelf.shared();
    return shared && this.#saved ? Promise.all([shared, this.#saved]) : (shared ?? this.#saved);
  }

  #response(id: string, answer: string, made: { agent?: string; isNative?: boolean }): KeptResponse {
    const { previous, request, input, model, callerFields } = this.asked;
    const isNative = made.isNative === true && !callerFields.isKeptHereOnly;
    return {
      ...{ id, previous, request, input, answer, model },
      ...{ agent: made.agent, isNative, at: this.deps.now() },
      length: request.length + answer.length,
    };
  }

  #addTurn(response: KeptResponse): void {
    const { owner, conversation } = this.asked;
    if (conversation === undefined || HAS_FAILED.has(responseOf(response)?.["status"])) return;
    const turn: Typed[] = [...inputOf(response), ...outputOf(response)];
    this.#saved = this.deps.conversations.addTurn(owner, conversation, turn).catch((error) => {
      // A conversation that was deleted meanwhile gets no turn.
      if (error instanceof AppError && error.code === "conversation_unknown") return;
      const user = owner ?? "admin";
      this.deps.log.error("turn_lost", { conversation, response: response.id, user, cause: causeOf(error) });
    });
  }
}

/**
 * Returns the response of a stream whose last event does not have it, so that it can be read, and its stream resumed: an
 * upstream may end with an `error`. Undefined if nothing has told the response.
 */
function brokenOff({ state }: Recording, newest: ServerEvent | undefined): string | undefined {
  const response = state && responseIn(state.data);
  if (!response) return undefined;
  const told = newest && typeOf(newest) === "error" ? parseJson(newest.data) : undefined;
  const code = textField(told, "code") ?? "server_error";
  const message = textField(told, "message") ?? "The stream ended before the response was complete.";
  return JSON.stringify({ ...response, status: "failed", error: { code, message } });
}

const HAS_FAILED = new Set<unknown>(["failed", "cancelled"]);
