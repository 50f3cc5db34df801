import { createStore, type Store } from "../../state/store.ts";
import { type ChatChunk, readChunk, type Tokens } from "./chat-chunk.ts";
import { createEventReader } from "./event-stream.ts";
import { createStreamedText, type StreamedText } from "./streamed-text.ts";

export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface ChatRequest {
  model: string;
  messages: Message[];
}

export type TurnState = "waiting" | "answering" | "done" | "stopped" | "failed";

/** A question and what came of it. */
export interface Turn {
  id: number;
  request: ChatRequest;
  question: string;
  answer: StreamedText;
  reasoning: StreamedText;
  state: TurnState;
  /** The answer has begun, and with it the reasoning has ended. */
  hasText?: boolean;
  /** Why it failed, for people. */
  error?: string;
  /** Until the first piece of the answer, or of the reasoning before it. */
  firstMs?: number;
  durationMs?: number;
  tokens?: Tokens;
  /** Why the model ended its answer, as it says. */
  finish?: string;
}

interface ConversationOptions {
  /** Resolves with an answer that is a success; rejects with what `describe` makes a text of. */
  send(request: ChatRequest, signal: AbortSignal): Promise<Response>;
  describe(error: unknown): string;
  now(): number;
}

/** One conversation, whose words are kept here and sent whole with each question. */
export interface Talk {
  turns: Store<readonly Turn[]>;
  /** What asking this would send: failed questions without an answer are left out. */
  requestOf(question: string, model: string, system: string): ChatRequest;
  /** Resolves when the answer has ended, whichever way. Does nothing while another is on its way. */
  ask(question: string, model: string, system: string): Promise<void>;
  /** Asks the newest question again in the place of its answer. */
  again(): Promise<void>;
  /** Hangs up, upon which the server has the agent cancel it. */
  stop(): void;
  /** Forgets all. */
  clear(): void;
}

type Change = Partial<Omit<Turn, "id">>;

export function createConversation(options: ConversationOptions): Talk {
  const turns = createStore<readonly Turn[]>([]);
  let running: AbortController | undefined;
  let newest = 0;

  function change(id: number, by: Change): void {
    turns.set(turns.get().map((one) => (one.id === id ? { ...one, ...by } : one)));
  }

  async function run(request: ChatRequest, question: string): Promise<void> {
    if (running) return;
    const abort = new AbortController();
    running = abort;
    const id = ++newest;
    const [answer, reasoning] = [createStreamedText(), createStreamedText()];
    const turn: Turn = { id, request, question, answer, reasoning, state: "waiting" };
    turns.set([...turns.get(), turn]);
    const startedAt = options.now();
    let outcome: Change = { state: "done" };
    try {
      await receive(await options.send(request, abort.signal), turn, (by) => {
        change(id, by.state === "answering" ? { ...by, firstMs: options.now() - startedAt } : by);
      });
    } catch (error) {
      outcome = abort.signal.aborted ? { state: "stopped" } : failure(error, options);
    }
    // What is left of a stream that has failed is not waited for.
    abort.abort();
    if (running === abort) running = undefined;
    change(id, { ...outcome, durationMs: options.now() - startedAt });
  }

  function requestOf(question: string, model: string, system: string): ChatRequest {
    const before = turns.get().flatMap(messagesOf);
    const first: Message[] = system === "" ? [] : [{ role: "system", content: system }];
    return { model, messages: [...first, ...before, { role: "user", content: question }] };
  }

  return {
    turns,
    requestOf,
    ask: (question, model, system) => run(requestOf(question, model, system), question),
    async again() {
      const last = turns.get().at(-1);
      if (!last || running) return;
      turns.set(turns.get().slice(0, -1));
      await run(last.request, last.question);
    },
    stop: () => running?.abort(),
    clear() {
      running?.abort();
      running = undefined;
      turns.set([]);
    },
  };
}

function messagesOf({ question, answer }: Turn): Message[] {
  if (answer.text === "") return [];
  return [
    { role: "user", content: question },
    { role: "assistant", content: answer.text },
  ];
}

function failure(error: unknown, { describe }: ConversationOptions): Change {
  return { state: "failed", error: error instanceof AnswerError ? error.message : describe(error) };
}

/** What the answer itself says of its failure. */
class AnswerError extends Error {}

/** Rejects with an `AnswerError` where the answer failed in band, or ended before it was complete. */
async function receive(response: Response, turn: Turn, change: (by: Change) => void): Promise<void> {
  const { answer, reasoning } = turn;
  let hasBegun = false;
  let isWhole = false;
  const take = (piece: ChatChunk) => {
    const { text = "", reasoning: thought = "", tokens, finish, error } = piece;
    if (error !== undefined) throw new AnswerError(error);
    const isFirstText = text !== "" && answer.text === "";
    reasoning.append(thought);
    answer.append(text);
    if (!hasBegun && (text !== "" || thought !== "")) {
      hasBegun = true;
      change({ state: "answering" });
    }
    if (isFirstText) change({ hasText: true });
    if (tokens || finish !== undefined) change({ ...(tokens && { tokens }), ...(finish && { finish }) });
    isWhole ||= piece.isLast === true || finish !== undefined;
  };
  if (isEventStream(response)) {
    for await (const data of eventsOf(response)) take(readChunk(data));
    if (!isWhole) throw new AnswerError("The connection ended before the answer did.");
  } else take(readChunk(await response.text()));
}

function isEventStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") ?? false;
}

async function* eventsOf({ body }: Response): AsyncGenerator<string> {
  if (!body) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const events = createEventReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    yield* events.push(decoder.decode(value, { stream: true }));
  }
  yield* events.push(decoder.decode());
  yield* events.end();
}
