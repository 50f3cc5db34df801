import { expect, test } from "bun:test";
import { createConversation } from "../../../../../src/dashboard/pages/try/chat/conversation.ts";
import {
  type Answer,
  type ChatRequest,
  type ChatSettings,
  EMPTY_SETTINGS,
  type Question,
  type Turn,
} from "../../../../../src/dashboard/pages/try/chat/types.ts";

/** A conversation whose responses the test writes, on a clock that only the test moves. */
function startScene() {
  let nowMs = 1_000;
  const requests: ChatRequest[] = [];
  const signals: AbortSignal[] = [];
  const responses: ((response: Response | Error) => void)[] = [];
  const conversation = createConversation({
    send(request, signal) {
      requests.push(request);
      signals.push(signal);
      const { promise, resolve, reject } = Promise.withResolvers<Response>();
      responses.push((response) => (response instanceof Error ? reject(response) : resolve(response)));
      signal.addEventListener("abort", () => reject(signal.reason));
      return promise;
    },
    describe: (error) => `failed: ${(error as Error).message}`,
    now: () => nowMs,
    time: () => 1_764_000_000_000 + nowMs,
  });
  return {
    conversation,
    requests,
    signals,
    wait: (ms: number) => {
      nowMs += ms;
    },
    respond: (index: number, response: Response | Error) => responses[index]?.(response),
    /** Responds to the newest request with a stream. Returns its writer. */
    stream() {
      const { readable, writable } = new TransformStream<string, string>();
      const writer = writable.getWriter();
      const signal = signals.at(-1);
      signal?.addEventListener("abort", () => void writer.abort(signal.reason).catch(() => undefined));
      responses.at(-1)?.(
        new Response(readable.pipeThrough(new TextEncoderStream()), {
          headers: { "content-type": "text/event-stream; charset=utf-8" },
        }),
      );
      return writer;
    },
    /** The newest turn with its first answer. */
    get last(): Last {
      const last = lastOf(conversation.turns.get());
      if (!last) throw new Error("nothing was sent");
      return last;
    },
    /** Resolves once the condition holds for the newest turn. */
    until(holds: (last: Last) => boolean): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        const last = lastOf(conversation.turns.get());
        if (last && holds(last)) resolve();
      };
      const unsubscribe = conversation.turns.subscribe(look);
      look();
      return promise.finally(unsubscribe);
    },
  };
}

type Last = Omit<Answer, "text"> & { question: string; answer: Answer["text"] };

function lastOf(turns: readonly Turn[]): Last | undefined {
  const turn = turns.at(-1);
  const [first] = turn?.answers ?? [];
  return turn && first && { ...first, question: turn.question.text, answer: first.text };
}

const ask = (text: string): Question => ({ text, images: [] });

const settingsOf = (model: string, system = "", more: Partial<ChatSettings> = {}): ChatSettings => ({
  ...EMPTY_SETTINGS,
  models: [model],
  system,
  ...more,
});

const chunk = (delta: unknown, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ delta, finish_reason }] })}\n\n`;

const whole = (text: string) =>
  new Response(`${chunk({ content: text })}data: [DONE]\n\n`, {
    headers: { "content-type": "text/event-stream" },
  });

test("a turn receives reasoning, answer, times and token counts as they arrive", async () => {
  const scene = startScene();
  const sent = scene.conversation.send(ask("Why?"), settingsOf("m"));
  expect(scene.last).toMatchObject({ state: "waiting", question: "Why?" });
  const writer = scene.stream();
  scene.wait(200);
  await writer.write(chunk({ reasoning_content: "Hm. " }));
  await scene.until(({ state }) => state === "answering");
  expect(scene.last).toMatchObject({ firstMs: 200 });
  expect(scene.last.hasText).toBeUndefined();
  scene.wait(300);
  await writer.write(chunk({ content: "Be" }));
  await scene.until(({ hasText }) => hasText === true);
  expect(scene.last.answer.text).toBe("Be");
  await writer.write(chunk({ content: "cause." }) + chunk({}, "stop"));
  await writer.write('data: {"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":2}}\n\n');
  scene.wait(100);
  await writer.write("data: [DONE]\n\n");
  await writer.close();
  await sent;
  expect(scene.last).toMatchObject({
    state: "done",
    firstMs: 200,
    durationMs: 600,
    tokens: { input: 4, output: 2 },
    finish: "stop",
  });
  expect([scene.last.reasoning.text, scene.last.answer.text]).toEqual(["Hm. ", "Because."]);
});

test("a request contains the system message and all answered turns, but no failed ones", async () => {
  const scene = startScene();
  const first = scene.conversation.send(ask("One?"), settingsOf("m", "Be brief."));
  scene.respond(0, whole("1"));
  await first;
  const second = scene.conversation.send(ask("Two?"), settingsOf("m"));
  scene.respond(1, new Error("busy"));
  await second;
  expect(scene.last).toMatchObject({ state: "failed", error: "failed: busy" });
  void scene.conversation.send(ask("Three?"), settingsOf("n", "Be brief."));
  expect(scene.requests[0]?.messages).toEqual([
    { role: "system", content: "Be brief." },
    { role: "user", content: "One?" },
  ]);
  expect(scene.requests[2]).toEqual({
    model: "n",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "One?" },
      { role: "assistant", content: "1" },
      { role: "user", content: "Three?" },
    ],
  });
});

test("stopping closes the connection, and keeps the partial answer for later requests", async () => {
  const scene = startScene();
  const sent = scene.conversation.send(ask("Tell"), settingsOf("m"));
  const writer = scene.stream();
  await writer.write(chunk({ content: "Once" }));
  await scene.until(({ hasText }) => hasText === true);
  scene.conversation.stop();
  await sent;
  expect(scene.signals[0]?.aborted).toBe(true);
  expect(scene.last).toMatchObject({ state: "stopped" });
  expect(
    scene.conversation.requestOf(ask("On"), settingsOf("m")).messages.map(({ content }) => content),
  ).toEqual(["Tell", "Once", "On"]);
});

test.each([
  ["reports an error", 'data: {"error":{"message":"No room"}}\n\n', "No room"],
  ["ends before it is complete", "", "The connection was closed before the answer was complete."],
  ["contains invalid JSON", 'data: {"cho\n\n', "A part of the response is not valid JSON."],
])("a turn fails if its stream %s, and keeps the text before that", async (_name, rest, error) => {
  const scene = startScene();
  const sent = scene.conversation.send(ask("Tell"), settingsOf("m"));
  scene.respond(
    0,
    new Response(chunk({ content: "Once" }) + rest, { headers: { "content-type": "text/event-stream" } }),
  );
  await sent;
  expect(scene.last).toMatchObject({ state: "failed", error });
  expect(scene.last.answer.text).toBe("Once");
  expect(scene.signals[0]?.aborted).toBe(true);
});

test("a response that is not streamed is accepted too", async () => {
  const scene = startScene();
  const sent = scene.conversation.send(ask("Tell"), settingsOf("m"));
  scene.respond(0, Response.json({ choices: [{ message: { content: "All" }, finish_reason: "stop" }] }));
  await sent;
  expect(scene.last).toMatchObject({ state: "done" });
  expect(scene.last.answer.text).toBe("All");
});

test("a retry replaces the newest answer, and only one request runs at a time", async () => {
  const scene = startScene();
  const sent = scene.conversation.send(ask("One?"), settingsOf("m"));
  await scene.conversation.send(ask("Two?"), settingsOf("m"));
  expect(scene.requests).toHaveLength(1);
  scene.respond(0, whole("1"));
  await sent;
  const again = scene.conversation.retry(0, settingsOf("m"));
  scene.respond(1, whole("uno"));
  await again;
  expect(scene.conversation.turns.get().map(({ answers }) => answers[0]?.text.text)).toEqual(["uno"]);
  expect(scene.requests[1]).toEqual(scene.requests[0] as ChatRequest);
});

test("clearing cancels the running request, and a new one can start at once", async () => {
  const scene = startScene();
  const sent = scene.conversation.send(ask("One?"), settingsOf("m"));
  scene.conversation.clear();
  expect(scene.signals[0]?.aborted).toBe(true);
  const next = scene.conversation.send(ask("Two?"), settingsOf("m"));
  await sent;
  scene.respond(1, whole("2"));
  await next;
  expect(
    scene.conversation.turns.get().map(({ question, answers }) => [question.text, answers[0]?.state]),
  ).toEqual([["Two?", "done"]]);
});

test("a question to two models has two answers, and each model gets its own conversation", async () => {
  const scene = startScene();
  const pair = settingsOf("a", "", { models: ["a", "b"] });
  const first = scene.conversation.send(ask("One?"), pair);
  scene.respond(0, whole("1 of a"));
  scene.respond(1, new Error("busy"));
  await first;
  const [turn] = scene.conversation.turns.get();
  expect(turn?.answers.map(({ model, state, text }) => [model, state, text.text])).toEqual([
    ["a", "done", "1 of a"],
    ["b", "failed", ""],
  ]);
  const again = scene.conversation.retry(1, pair);
  scene.respond(2, whole("1 of b"));
  await again;
  void scene.conversation.send(ask("Two?"), pair);
  expect(scene.requests.slice(3).map(({ model, messages }) => [model, messages[1]?.content])).toEqual([
    ["a", "1 of a"],
    ["b", "1 of b"],
  ]);
  scene.conversation.stop(0);
  expect(scene.signals.slice(3).map(({ aborted }) => aborted)).toEqual([true, false]);
  scene.conversation.stop();
  expect(scene.signals[4]?.aborted).toBe(true);
});

test("a conversation with one model can go on with two, which both get its answers", async () => {
  const scene = startScene();
  const first = scene.conversation.send(ask("One?"), settingsOf("a"));
  scene.respond(0, whole("1"));
  await first;
  void scene.conversation.send(ask("Two?"), settingsOf("a", "", { models: ["a", "b"] }));
  expect(scene.requests.slice(1).map(({ model, messages }) => [model, messages.length])).toEqual([
    ["a", 3],
    ["b", 3],
  ]);
});

test("an edited question takes the place of the newest one and of its answer", async () => {
  const scene = startScene();
  const first = scene.conversation.send(ask("One?"), settingsOf("m"));
  scene.respond(0, whole("1"));
  await first;
  const second = scene.conversation.replaceLast(ask("Uno?"), settingsOf("m"));
  scene.respond(1, whole("uno"));
  await second;
  expect(scene.requests[1]?.messages).toEqual([{ role: "user", content: "Uno?" }]);
  expect(scene.conversation.turns.get().map(({ question }) => question.text)).toEqual(["Uno?"]);
});

test("an answer has the agent, the request id and the model that its headers name", async () => {
  const scene = startScene();
  const sent = scene.conversation.send(ask("Who?"), settingsOf("m"));
  const headers = {
    "x-agent-name": "gpu%20b%C3%B6x",
    "x-agent-id": "id",
    "x-model": "n",
    "x-request-id": "req_1",
  };
  scene.respond(0, Response.json({ choices: [{ message: { content: "I" } }] }, { headers }));
  await sent;
  expect(scene.last).toMatchObject({ agent: "gpu böx", usedModel: "n", requestId: "req_1" });
});
