import { createStore, type Store } from "../../state/store.ts";
import { type ChatChunk, readChunk, type Tokens } from "./chat-chunk.ts";
import { readEventData } from "./event-stream.ts";
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

/** One question with its answer. */
export interface Turn {
  id: number;
  request: ChatRequest;
  question: string;
  answer: StreamedText;
  reasoning: StreamedText;
  state: TurnState;
  /** Whether the answer has started, which ends the reasoning. */
  hasText?: boolean;
  /** Why the request failed, as a text for people. */
  error?: string;
  /** The time until the first part of the answer, or of the reasoning before it. */
  firstMs?: number;
  durationMs?: number;
  tokens?: Tokens;
  /** The model's reason for ending the answer. */
  finish?: string;
}

interface ConversationOptions {
  /** Resolves with a successful response. Rejects with an error that `describe` turns into a text. */
  send(request: ChatRequest, signal: AbortSignal): Promise<Response>;
  describe(error: unknown): string;
  now(): number;
}

/** A conversation. Its messages are kept here, and all of them are sent with each question. */
export interface Conversation {
  turns: Store<readonly Turn[]>;
  /** Returns the request for a question. Earlier questions without an answer are left out. */
  requestOf(question: string, model: string, system: string): ChatRequest;
  /**
   * Sends a question. Resolves when its answer ends for any reason. Does nothing while another answer is
   * running.
   */
  send(question: string, model: string, system: string): Promise<void>;
  /** Sends the newest question again, and replaces its answer. */
  retry(): Promise<void>;
  /** Closes the connection, so that the server cancels the request at the agent. */
  stop(): void;
  /** Cancels the running request and deletes all turns. */
  clear(): void;
}

type Change = Partial<Omit<Turn, "id">>;

export function createConversation(options: ConversationOptions): Conversation {
  const turns = createStore<readonly Turn[]>([]);
  let running: AbortController | undefined;
  let newestId = 0;

  function change(id: number, by: Change): void {
    turns.set(turns.get().map((one) => (one.id === id ? { ...one, ...by } : one)));
  }

  async function run(request: ChatRequest, question: string): Promise<void> {
    if (running) return;
    const abort = new AbortController();
    running = abort;
    const id = ++newestId;
    const [answer, reasoning] = [createStreamedText(), createStreamedText()];
    const turn: Turn = { id, request, question, answer, reasoning, state: "waiting" };
    turns.set([...turns.get(), turn]);
    const startedAt = options.now();
    let result: Change = { state: "done" };
    try {
      await receive(await options.send(request, abort.signal), turn, (by) => {
        change(id, by.state === "answering" ? { ...by, firstMs: options.now() - startedAt } : by);
      });
    } catch (error) {
      result = abort.signal.aborted ? { state: "stopped" } : failure(error, options);
    }
    // Do not wait for the rest of a stream that has failed.
    abort.abort();
    if (running === abort) running = undefined;
    change(id, { ...result, durationMs: options.now() - startedAt });
  }

  function requestOf(question: string, model: string, system: string): ChatRequest {
    const before = turns.get().flatMap(messagesOf);
    const first: Message[] = system === "" ? [] : [{ role: "system", content: system }];
    return { model, messages: [...first, ...before, { role: "user", content: question }] };
  }

  return {
    turns,
    requestOf,
    send: (question, model, system) => run(requestOf(question, model, system), question),
    async retry() {
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

/** A failure that the response itself reports, or that its content shows. */
class AnswerError extends Error {}

/**
 * Reads a response into a turn. Rejects with an `AnswerError` if it reports an error or ends before it is
 * complete.
 */
async function receive(response: Response, turn: Turn, change: (by: Change) => void): Promise<void> {
  const { answer, reasoning } = turn;
  let hasStarted = false;
  let isComplete = false;
  const addChunk = (chunk: ChatChunk) => {
    const { text = "", reasoning: reasoningText = "", tokens, finish, error } = chunk;
    if (error !== undefined) throw new AnswerError(error);
    const isFirstText = text !== "" && answer.text === "";
    reasoning.append(reasoningText);
    answer.append(text);
    if (!hasStarted && (text !== "" || reasoningText !== "")) {
      hasStarted = true;
      change({ state: "answering" });
    }
    if (isFirstText) change({ hasText: true });
    if (tokens || finish !== undefined) change({ ...(tokens && { tokens }), ...(finish && { finish }) });
    isComplete ||= chunk.isLast === true || finish !== undefined;
  };
  if (response.body && isEventStream(response)) {
    for await (const data of readEventData(response.body)) addChunk(readChunk(data));
    if (!isComplete) throw new AnswerError("The connection was closed before the answer was complete.");
  } else addChunk(readChunk(await response.text()));
}

function isEventStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") ?? false;
}
