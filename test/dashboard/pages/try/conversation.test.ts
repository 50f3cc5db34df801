import { describe, expect, test } from "bun:test";
import {
  type ChatRequest,
  createConversation,
  type Turn,
} from "../../../../src/dashboard/pages/try/conversation.ts";

/** A talk whose answers the test writes, on a clock that only the test moves. */
function startTalk() {
  let nowMs = 1_000;
  const requests: ChatRequest[] = [];
  const signals: AbortSignal[] = [];
  const answers: ((answer: Response | Error) => void)[] = [];
  const talk = createConversation({
    send(request, signal) {
      requests.push(request);
      signals.push(signal);
      const { promise, resolve, reject } = Promise.withResolvers<Response>();
      answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      signal.addEventListener("abort", () => reject(signal.reason));
      return promise;
    },
    describe: (error) => `failed: ${(error as Error).message}`,
    now: () => nowMs,
  });
  return {
    talk,
    requests,
    signals,
    wait: (ms: number) => {
      nowMs += ms;
    },
    answer: (index: number, answer: Response | Error) => answers[index]?.(answer),
    /** The answer that is written piece by piece to the newest request. */
    stream() {
      const { readable, writable } = new TransformStream<string, string>();
      const writer = writable.getWriter();
      const signal = signals.at(-1);
      signal?.addEventListener("abort", () => void writer.abort(signal.reason).catch(() => undefined));
      answers.at(-1)?.(
        new Response(readable.pipeThrough(new TextEncoderStream()), {
          headers: { "content-type": "text/event-stream; charset=utf-8" },
        }),
      );
      return writer;
    },
    get last(): Turn {
      const last = talk.turns.get().at(-1);
      if (!last) throw new Error("nothing was asked");
      return last;
    },
    /** Resolves once it holds of the newest turn. */
    until(holds: (turn: Turn) => boolean): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        const last = talk.turns.get().at(-1);
        if (last && holds(last)) resolve();
      };
      const leave = talk.turns.subscribe(look);
      look();
      return promise.finally(leave);
    },
  };
}

const chunk = (delta: unknown, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ delta, finish_reason }] })}\n\n`;

const whole = (text: string) =>
  new Response(`${chunk({ content: text })}data: [DONE]\n\n`, {
    headers: { "content-type": "text/event-stream" },
  });

describe("a conversation", () => {
  test("takes the reasoning and the answer as they come, with the times of either and the tokens", async () => {
    const scene = startTalk();
    const asked = scene.talk.ask("Why?", "m", "");
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
    await asked;
    expect(scene.last).toMatchObject({
      state: "done",
      firstMs: 200,
      durationMs: 600,
      tokens: { prompt: 4, completion: 2 },
      finish: "stop",
    });
    expect([scene.last.reasoning.text, scene.last.answer.text]).toEqual(["Hm. ", "Because."]);
  });

  test("sends all that was said before, the system message ahead, and leaves out what was not answered", async () => {
    const scene = startTalk();
    const first = scene.talk.ask("One?", "m", "Be brief.");
    scene.answer(0, whole("1"));
    await first;
    const second = scene.talk.ask("Two?", "m", "");
    scene.answer(1, new Error("busy"));
    await second;
    expect(scene.last).toMatchObject({ state: "failed", error: "failed: busy" });
    void scene.talk.ask("Three?", "n", "Be brief.");
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

  test("is stopped by hanging up, keeps what had come, and goes on with it", async () => {
    const scene = startTalk();
    const asked = scene.talk.ask("Tell", "m", "");
    const writer = scene.stream();
    await writer.write(chunk({ content: "Once" }));
    await scene.until(({ hasText }) => hasText === true);
    scene.talk.stop();
    await asked;
    expect(scene.signals[0]?.aborted).toBe(true);
    expect(scene.last).toMatchObject({ state: "stopped" });
    expect(scene.talk.requestOf("On", "m", "").messages.map(({ content }) => content)).toEqual([
      "Tell",
      "Once",
      "On",
    ]);
  });

  test.each([
    ["says that it failed", 'data: {"error":{"message":"No room"}}\n\n', "No room"],
    ["ends before it is complete", "", "The connection ended before the answer did."],
    ["has a part that is no JSON", 'data: {"cho\n\n', "A part of the answer is no JSON."],
  ])("fails where an answer %s, with the pieces before it", async (_name, rest, error) => {
    const scene = startTalk();
    const asked = scene.talk.ask("Tell", "m", "");
    scene.answer(
      0,
      new Response(chunk({ content: "Once" }) + rest, { headers: { "content-type": "text/event-stream" } }),
    );
    await asked;
    expect(scene.last).toMatchObject({ state: "failed", error });
    expect(scene.last.answer.text).toBe("Once");
    expect(scene.signals[0]?.aborted).toBe(true);
  });

  test("takes an answer that was not streamed", async () => {
    const scene = startTalk();
    const asked = scene.talk.ask("Tell", "m", "");
    scene.answer(0, Response.json({ choices: [{ message: { content: "All" }, finish_reason: "stop" }] }));
    await asked;
    expect(scene.last).toMatchObject({ state: "done" });
    expect(scene.last.answer.text).toBe("All");
  });

  test("asks the newest question again in the place of its answer, and one at a time only", async () => {
    const scene = startTalk();
    const asked = scene.talk.ask("One?", "m", "");
    await scene.talk.ask("Two?", "m", "");
    expect(scene.requests).toHaveLength(1);
    scene.answer(0, whole("1"));
    await asked;
    const again = scene.talk.again();
    scene.answer(1, whole("uno"));
    await again;
    expect(scene.talk.turns.get().map(({ answer }) => answer.text)).toEqual(["uno"]);
    expect(scene.requests[1]).toEqual(scene.requests[0] as ChatRequest);
  });

  test("is forgotten with what is on its way, and another can begin at once", async () => {
    const scene = startTalk();
    const asked = scene.talk.ask("One?", "m", "");
    scene.talk.clear();
    expect(scene.signals[0]?.aborted).toBe(true);
    const next = scene.talk.ask("Two?", "m", "");
    await asked;
    scene.answer(1, whole("2"));
    await next;
    expect(scene.talk.turns.get().map(({ question, state }) => [question, state])).toEqual([
      ["Two?", "done"],
    ]);
  });
});
