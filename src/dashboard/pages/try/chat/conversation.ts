import { createStore, type Store } from "../../../state/store.ts";
import { AnswerError, receive } from "./receive.ts";
import { requestFor } from "./request.ts";
import { createStreamedText } from "./streamed-text.ts";
import {
  type Answer,
  type ChatRequest,
  type ChatSettings,
  isRunning,
  type Question,
  type Turn,
} from "./types.ts";

interface ConversationOptions {
  /** Resolves with a successful response. Rejects with an error that `describe` turns into a text. */
  send(request: ChatRequest, signal: AbortSignal): Promise<Response>;
  describe(error: unknown): string;
  /** Returns the id of the request that an error is about, if it is known. */
  requestIdOf?(error: unknown): string | undefined;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** Milliseconds since 1970. */
  time(): number;
}

/** A conversation with one model, or with two at once. Its messages are kept here, and all are sent with each question. */
export interface Conversation {
  turns: Store<readonly Turn[]>;
  /** Returns the request for a question to the model at `index` of the settings, by default the first one. */
  requestOf(question: Question, settings: ChatSettings, index?: number): ChatRequest;
  /**
   * Sends a question to each model of the settings. Resolves when all answers have ended for any reason. Does nothing
   * while another answer is running.
   */
  send(question: Question, settings: ChatSettings): Promise<void>;
  /** Replaces the newest question, with its answers, by another one. Does nothing while an answer is running. */
  replaceLast(question: Question, settings: ChatSettings): Promise<void>;
  /** Sends the newest question again to the model at `index`, and replaces its answer. */
  retry(index: number, settings: ChatSettings): Promise<void>;
  /** Closes the connections, or the one at `index`, so that the server cancels the requests at the agents. */
  stop(index?: number): void;
  isBusy(): boolean;
  /** Cancels running requests, and shows other turns, by default none. */
  clear(turns?: readonly Turn[]): void;
}

type Change = Partial<Answer>;

export function createConversation(options: ConversationOptions): Conversation {
  const turns = createStore<readonly Turn[]>([]);
  const running = new Map<number, AbortController>();
  let newestId = 0;

  function change(id: number, index: number, by: Change): void {
    const changed = (answers: readonly Answer[]) =>
      answers.map((answer, at) => (at === index ? { ...answer, ...by } : answer));
    turns.set(
      turns.get().map((turn) => (turn.id === id ? { ...turn, answers: changed(turn.answers) } : turn)),
    );
  }

  async function run(id: number, index: number, answer: Answer, request: ChatRequest): Promise<void> {
    const abort = new AbortController();
    running.set(index, abort);
    const startedAt = options.now();
    let result: Change = { state: "done" };
    try {
      await receive(await options.send(request, abort.signal), answer, (by) => {
        change(id, index, by.state === "answering" ? { ...by, firstMs: options.now() - startedAt } : by);
      });
    } catch (error) {
      result = abort.signal.aborted ? { state: "stopped" } : failure(error, options);
    }
    // Do not wait for the rest of a stream that has failed.
    abort.abort();
    if (running.get(index) === abort) running.delete(index);
    change(id, index, { ...result, durationMs: options.now() - startedAt });
  }

  async function ask(before: readonly Turn[], question: Question, settings: ChatSettings): Promise<void> {
    const id = ++newestId;
    const requests = settings.models.map((_, index) => requestFor(before, question, settings, index));
    const answers = requests.map(({ model }) => newAnswer(model, options.time()));
    turns.set([...before, { id, question, answers }]);
    await Promise.all(
      requests.map((request, index) => {
        const answer = answers[index];
        return answer && run(id, index, answer, request);
      }),
    );
  }

  return {
    turns,
    requestOf: (question, settings, index = 0) => requestFor(turns.get(), question, settings, index),
    async send(question, settings) {
      if (running.size === 0) await ask(turns.get(), question, settings);
    },
    async replaceLast(question, settings) {
      if (running.size === 0) await ask(turns.get().slice(0, -1), question, settings);
    },
    async retry(index, settings) {
      const last = turns.get().at(-1);
      if (!last?.answers[index] || running.has(index)) return;
      const models = last.answers.map(({ model }, at) => settings.models[at] ?? model);
      const request = requestFor(turns.get().slice(0, -1), last.question, { ...settings, models }, index);
      const answer = newAnswer(request.model, options.time());
      const answers = last.answers.map((one, at) => (at === index ? answer : one));
      turns.set([...turns.get().slice(0, -1), { ...last, answers }]);
      await run(last.id, index, answer, request);
    },
    stop(index) {
      for (const [at, abort] of running) if (index === undefined || at === index) abort.abort();
    },
    isBusy: () => turns.get().at(-1)?.answers.some(isRunning) ?? false,
    clear(next = []) {
      for (const abort of running.values()) abort.abort();
      running.clear();
      // A request that was cancelled may still change the turn of its id.
      turns.set(next.map((turn) => ({ ...turn, id: ++newestId })));
    },
  };
}

function newAnswer(model: string, at: number): Answer {
  return { model, at, text: createStreamedText(), reasoning: createStreamedText(), state: "waiting" };
}

function failure(error: unknown, { describe, requestIdOf }: ConversationOptions): Change {
  if (error instanceof AnswerError) return { state: "failed", error: error.message };
  const requestId = requestIdOf?.(error);
  return { state: "failed", error: describe(error), ...(requestId !== undefined && { requestId }) };
}
