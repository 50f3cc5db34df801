import { describe, expect, test } from "bun:test";
import { AppError } from "../../../../src/errors.ts";
import {
  createResponseMemory,
  type OwnResponses,
  RESPONSE_AGE_MS,
} from "../../../../src/http/models/responses/memory.ts";
import { translateResponses } from "../../../../src/http/models/responses/translate.ts";
import { expandInput } from "../../../../src/http/responses/expand.ts";
import { ADMIN, type Principal, userIdOf, userPrincipal } from "../../../../src/principal.ts";
import { createFakeClock } from "../../../support/clock.ts";
import { keptResponse } from "../../../support/kept-response.ts";
import { chunk, completion, countingContext, finish } from "../../../support/translated-responses.ts";

type Json = Record<string, unknown>;

const user = (content: string) => ({ role: "user", content });
const said = (content: string) => ({ role: "assistant", content });
const tool_calls = [{ id: "c1", type: "function", function: { name: "weather", arguments: "{}" } }];

function scene(bytesMax = 1_000_000) {
  const clock = createFakeClock();
  const memory = createResponseMemory({ bytesMax, recalledLengthMax: 50_000, now: clock.now });
  // The ids of all callers differ.
  const context = countingContext();
  /** Answers with the message, and returns the response and the messages that the upstream received. */
  const ask = (
    body: Json,
    message: Json = { content: "ok" },
    principal: Principal = userPrincipal("ann"),
  ) => {
    const responses = memory.of(principal);
    const translation = translateResponses({ model: "m", ...body }, { ...context, responses });
    const answer = translation.answer(completion(message));
    const response = JSON.parse(answer);
    if (response.store && responses) {
      const previous = body["previous_response_id"] as string | undefined;
      const { own: input } = expandInput(body, memory.of(principal) as OwnResponses);
      memory.keep(userIdOf(principal), keptResponse({ id: response.id, previous, answer, input }));
    }
    return { messages: translation.request["messages"], response };
  };
  return { memory, clock, ask, context };
}

const refusal = (run: () => unknown): AppError => {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("the request was translated");
};

describe("references to earlier answers", () => {
  test("a reference to an item of an earlier answer stands for the item", () => {
    const { ask } = scene();
    const { response } = ask(
      { input: "q" },
      { content: "Let me look.", reasoning_content: "Hm.", tool_calls },
    );
    expect(response.store).toBe(true);
    const references = response.output.map(({ id }: Json) => ({ type: "item_reference", id }));
    const result = { type: "function_call_output", call_id: "c1", output: "sun" };
    expect(ask({ input: [user("q"), ...references, result] }).messages).toEqual([
      user("q"),
      { ...said("Let me look."), reasoning_content: "Hm.", tool_calls },
      { role: "tool", tool_call_id: "c1", content: "sun" },
    ]);
  });

  test("previous_response_id continues a response, and so on, with a branch where one response has two", () => {
    const { ask } = scene();
    const first = ask({ input: "q1", instructions: "Be brief." }, { content: "a1" });
    const previous_response_id = first.response.id;
    const second = ask({ input: [user("q2")], previous_response_id }, { content: "a2" });
    expect(second.response.previous_response_id).toBe(previous_response_id);
    expect(second.messages).toEqual([user("q1"), said("a1"), user("q2")]);
    const third = ask({ input: "q3", previous_response_id: second.response.id });
    expect(third.messages).toEqual([user("q1"), said("a1"), user("q2"), said("a2"), user("q3")]);
    const branch = ask({ input: "q4", previous_response_id, instructions: "Be long." });
    expect(branch.messages).toEqual([
      { role: "system", content: "Be long." },
      user("q1"),
      said("a1"),
      user("q4"),
    ]);
  });

  test("a failed answer cannot be continued, and nobody can refer to its items", () => {
    const { memory, context } = scene();
    const responses = memory.of(ADMIN) as OwnResponses;
    const stream = (...data: string[]) => {
      const { stream } = translateResponses(
        { model: "m", input: "q", stream: true },
        { ...context, responses },
      );
      const open = stream();
      const events = [...data.flatMap((one) => open.push({ data: one })), ...open.end()];
      const answer = events.at(-1)?.data ?? "";
      const { response } = JSON.parse(answer);
      memory.keep(null, keptResponse({ id: response.id, answer, request: '{"input":"q"}' }));
      return response;
    };
    const whole = stream(chunk({ content: "a" }), finish("stop"), "[DONE]");
    expect(responses.conversation(whole.id)).toHaveLength(2);
    const failed = stream(chunk({ content: "a" }), '{"error":{"message":"broken"}}');
    expect(failed.status).toBe("failed");
    expect(responses.conversation(failed.id)).toBeUndefined();
    expect(responses.item(failed.output[0].id)).toBeUndefined();
  });

  test("a response that continues too many others is refused with that reason", () => {
    const clock = createFakeClock();
    const memory = createResponseMemory({ bytesMax: 10e6, recalledLengthMax: 10e6, now: clock.now });
    const answer = JSON.stringify({ status: "completed", output: [] });
    for (let at = 0; at <= 1_000; at++)
      memory.keep(
        null,
        keptResponse({ id: `resp_${at}`, answer, ...(at > 0 && { previous: `resp_${at - 1}` }) }),
      );
    const ask = (previous_response_id: string) => {
      const responses = memory.of(ADMIN);
      return translateResponses(
        { model: "m", input: "q", previous_response_id },
        { ...countingContext(), responses },
      );
    };
    expect(ask("resp_999").request["messages"]).toEqual([user("q")]);
    const { param, hint, upstream } = refusal(() => ask("resp_1000"));
    expect([param, upstream?.code]).toEqual(["previous_response_id", "previous_response_not_found"]);
    expect(hint).toContain("the response continues more than 999 others. Send the whole conversation");
    expect(refusal(() => ask("resp_x")).hint).toContain("the response is not known");
  });

  test("nobody can refer to the answers of others", () => {
    const { ask } = scene();
    const { response } = ask({ input: "secret" }, { content: "secret" });
    const [item] = response.output;
    for (const other of [userPrincipal("eve"), ADMIN]) {
      const continued = { input: "q", previous_response_id: response.id };
      expect(refusal(() => ask(continued, {}, other)).param).toBe("previous_response_id");
      const reference = { input: [user("q"), { type: "item_reference", id: item.id }] };
      expect(refusal(() => ask(reference, {}, other)).param).toBe("input[1]");
    }
  });

  const gone: [string, (given: ReturnType<typeof scene>) => void][] = [
    ["after its time", ({ clock }) => clock.advance(RESPONSE_AGE_MS)],
    ["after its user was deleted", ({ memory }) => memory.forget("ann")],
  ];
  test.each(gone)("an answer is not known any more %s, and the error says what to do", (_, lose) => {
    const given = scene();
    const { response } = given.ask({ input: "q" });
    lose(given);
    const error = refusal(() => given.ask({ input: "q", previous_response_id: response.id }));
    expect(error).toMatchObject({
      code: "request_untranslatable",
      upstream: { code: "previous_response_not_found" },
      hint: expect.stringContaining("Send the whole conversation in `input`, with `store: false`."),
    });
    const reference = [{ type: "item_reference", id: response.output[0].id }];
    expect(refusal(() => given.ask({ input: reference })).hint).toContain("with `store: false`");
  });

  test("an answer is not kept with store: false, nor if the memory is switched off", () => {
    for (const [given, body] of [
      [scene(), { store: false }],
      [scene(0), {}],
    ] as const) {
      const { response } = given.ask({ input: "q", ...body });
      expect(response.store).toBe(false);
      expect(() => given.ask({ input: "q", previous_response_id: response.id })).toThrow(AppError);
    }
  });

  test("the path of a wrong item does not count the items of the response that it continues", () => {
    const { ask } = scene();
    const { response } = ask({ input: "q" });
    const input = [user("q"), { type: "unheard_of" }];
    expect(refusal(() => ask({ input, previous_response_id: response.id })).param).toBe("input[1].type");
  });

  test("a long conversation loses no item to the inputs that it sends again and again", () => {
    const { ask } = scene(800_000);
    const input: Json[] = [];
    for (let turn = 0; turn < 60; turn++) {
      input.push(user(`q${turn} ${"x".repeat(1000)}`));
      const { messages, response } = ask({ input }, { content: `a${turn}` });
      expect(messages).toHaveLength(input.length);
      input.push({ type: "item_reference", id: response.output[0].id });
    }
  });

  test("a short request cannot stand for more than a body may hold, however often it names an answer", () => {
    const { ask } = scene();
    const long = ask({ input: "q" }, { content: "x".repeat(20_000) }).response;
    const reference = { type: "item_reference", id: long.output[0].id };
    expect(ask({ input: [reference, reference] }).response.status).toBe("completed");
    expect(refusal(() => ask({ input: [reference, reference, reference] })).code).toBe("body_too_large");
    const further = { previous_response_id: long.id, input: [reference, reference] };
    expect(refusal(() => ask(further)).code).toBe("body_too_large");
    expect(ask({ input: [reference] }).response.status).toBe("completed");
  });
});
