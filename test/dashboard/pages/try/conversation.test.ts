import { expect, test } from "bun:test";
import {
  type ChatRequest,
  createConversation,
  type Turn,
} from "../../../../src/dashboard/pages/try/conversation.ts";

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
    get last(): Turn {
      const last = conversation.turns.get().at(-1);
      if (!last) throw new Error("nothing was sent");
      return last;
    },
    /** Resolves once the condition holds for the newest turn. */
    until(holds: (turn: Turn) => boolean): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        const last = conversation.turns.get().at(-1);
        if (last && holds(last)) resolve();
      };
      const unsubscribe = conversation.turns.subscribe(look);
      look();
      return promise.finally(unsubscribe);
    },
  };
}

const chunk = (delta: unknown, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ delta, finish_reason }] })}\n\n`;

const whole = (text: string) =>
  new Response(`${chunk({ content: text })}data: [DONE]\n\n`, {
    headers: { "content-type": "text/event-stream" },
  });

test("a turn receives reasoning, answer, times and token counts as they arrive", async () => {
  const scene = startScene();
  const sent = scene.conversation.send("Why?", "m", "");
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
  const first = scene.conversation.send("One?", "m", "Be brief.");
  scene.respond(0, whole("1"));
  await first;
  const second = scene.conversation.send("Two?", "m", "");
  scene.respond(1, new Error("busy"));
  await second;
  expect(scene.last).toMatchObject({ state: "failed", error: "failed: busy" });
  void scene.conversation.send("Three?", "n", "Be brief.");
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
  const sent = scene.conversation.send("Tell", "m", "");
  const writer = scene.stream();
  await writer.write(chunk({ content: "Once" }));
  await scene.until(({ hasText }) => hasText === true);
  scene.conversation.stop();
  await sent;
  expect(scene.signals[0]?.aborted).toBe(true);
  expect(scene.last).toMatchObject({ state: "stopped" });
  expect(scene.conversation.requestOf("On", "m", "").messages.map(({ content }) => content)).toEqual([
    "Tell",
    "Once",
    "On",
  ]);
});

test.each([
  ["reports an error", 'data: {"error":{"message":"No room"}}\n\n', "No room"],
  ["ends before it is complete", "", "The connection was closed before the answer was complete."],
  ["contains invalid JSON", 'data: {"cho\n\n', "A part of the response is not valid JSON."],
])("a turn fails if its stream %s, and keeps the text before that", async (_name, rest, error) => {
  const scene = startScene();
  const sent = scene.conversation.send("Tell", "m", "");
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
  const sent = scene.conversation.send("Tell", "m", "");
  scene.respond(0, Response.json({ choices: [{ message: { content: "All" }, finish_reason: "stop" }] }));
  await sent;
  expect(scene.last).toMatchObject({ state: "done" });
  expect(scene.last.answer.text).toBe("All");
});

test("a retry replaces the newest answer, and only one request runs at a time", async () => {
  const scene = startScene();
  const sent = scene.conversation.send("One?", "m", "");
  await scene.conversation.send("Two?", "m", "");
  expect(scene.requests).toHaveLength(1);
  scene.respond(0, whole("1"));
  await sent;
  const again = scene.conversation.retry();
  scene.respond(1, whole("uno"));
  await again;
  expect(scene.conversation.turns.get().map(({ answer }) => answer.text)).toEqual(["uno"]);
  expect(scene.requests[1]).toEqual(scene.requests[0] as ChatRequest);
});

test("clearing cancels the running request, and a new one can start at once", async () => {
  const scene = startScene();
  const sent = scene.conversation.send("One?", "m", "");
  scene.conversation.clear();
  expect(scene.signals[0]?.aborted).toBe(true);
  const next = scene.conversation.send("Two?", "m", "");
  await sent;
  scene.respond(1, whole("2"));
  await next;
  expect(scene.conversation.turns.get().map(({ question, state }) => [question, state])).toEqual([
    ["Two?", "done"],
  ]);
});
