import { describe, expect, test } from "bun:test";
import { generateText } from "ai";
import { shareModelApi } from "../support/model-api.ts";
import { openaiAt, openaiProviderAt, rejectionOf } from "../support/sdks.ts";
import {
  eventStream,
  json,
  type RecordedRequest,
  shareRecordingUpstream,
} from "../support/upstream/recording-upstream.ts";

const chat = shareRecordingUpstream(["mine"]);
/** Has responses of its own, and keeps none of them, as most model servers. */
const native = shareRecordingUpstream(["native"]);
const api = shareModelApi({
  agents: () => [
    ["--upstream", chat().url, "--endpoint", "chat/completions"],
    ["--upstream", native().url, "--endpoint", "responses"],
  ],
});
const MODELS = ["mine", "native"] as const;

/** Answers with the number of messages that came, once `held` is resolved. */
function answerBoth(held?: Promise<void>): void {
  chat().answer(async ({ body }) => {
    const { stream, messages } = JSON.parse(body);
    await held;
    const content = `${messages.length} messages`;
    const completion = { id: "c", object: "chat.completion", created: 1, model: "mine" };
    if (!stream)
      return json({
        ...completion,
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      });
    return eventStream([
      `data: ${JSON.stringify({ ...completion, choices: [{ index: 0, delta: { content }, finish_reason: "stop" }] })}`,
      "data: [DONE]",
    ]);
  });
  native().answer(async (request) => {
    await held;
    return answerNative(request);
  });
}

function answerNative({ body }: RecordedRequest): Response {
  const { stream, input, previous_response_id } = JSON.parse(body);
  const items = typeof input === "string" ? [input] : input;
  if (previous_response_id || items.some(({ type }: { type?: string }) => type === "item_reference"))
    return json(
      { error: { message: "previous_response_id and item_reference are not supported" } },
      { status: 400 },
    );
  const id = `resp_${crypto.randomUUID()}`;
  const content = [{ type: "output_text", text: `${items.length} messages`, annotations: [] }];
  const message = {
    type: "message",
    id: `msg_${crypto.randomUUID()}`,
    role: "assistant",
    status: "completed",
    content,
  };
  const response = {
    id,
    object: "response",
    created_at: 1,
    model: "native",
    status: "completed",
    output: [message],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
  };
  if (!stream) return json(response);
  const begun = { ...response, status: "in_progress", output: [] };
  const place = { output_index: 0, item_id: message.id, content_index: 0 };
  const events: object[] = [
    { type: "response.created", response: begun },
    { type: "response.output_item.added", output_index: 0, item: { ...message, content: [] } },
    { type: "response.content_part.added", ...place, part: { ...content[0], text: "" } },
    { type: "response.output_text.delta", ...place, delta: content[0]?.text },
    { type: "response.output_item.done", output_index: 0, item: message },
    { type: "response.completed", response },
  ];
  return eventStream(
    events.map((event, sequence_number) => `data: ${JSON.stringify({ ...event, sequence_number })}`),
  );
}

describe.each(MODELS)("the openai package with responses of %s", (model) => {
  test("a response is continued by its id, read, listed and deleted", async () => {
    answerBoth();
    const { responses } = openaiAt(api());
    const first = await responses.create({ model, input: "one" });
    const second = await responses.create({ model, input: "two", previous_response_id: first.id });
    expect([first.output_text, second.output_text]).toEqual(["1 messages", "3 messages"]);
    expect(await responses.retrieve(second.id)).toMatchObject({
      id: second.id,
      status: "completed",
      output: second.output,
    });
    const { data } = await responses.inputItems.list(second.id);
    expect(data).toMatchObject([
      { type: "message", role: "user", content: [{ type: "input_text", text: "two" }] },
    ]);
    await responses.delete(first.id);
    expect(await rejectionOf(responses.retrieve(first.id))).toMatchObject({
      status: 404,
      code: "response_not_found",
    });
  });

  test("a response that is not to be stored is not kept", async () => {
    answerBoth();
    const { responses } = openaiAt(api());
    const { id } = await responses.create({ model, input: "one", store: false });
    expect(await rejectionOf(responses.retrieve(id))).toMatchObject({ status: 404 });
  });

  test("a response in the background is polled, and cancelled", async () => {
    const held = Promise.withResolvers<void>();
    answerBoth(held.promise);
    const { responses } = openaiAt(api());
    const started = await responses.create({ model, input: "one", background: true });
    expect(started).toMatchObject({ status: "queued", background: true, output: [] });
    const cancelled = await responses.create({ model, input: "two", background: true });
    expect(await responses.cancel(cancelled.id)).toMatchObject({ id: cancelled.id, status: "cancelled" });
    expect(await responses.cancel(cancelled.id)).toMatchObject({ status: "cancelled" });
    held.resolve();
    let now = await responses.retrieve(started.id);
    while (now.status === "queued" || now.status === "in_progress")
      now = await responses.retrieve(started.id);
    expect(now).toMatchObject({ id: started.id, status: "completed", background: true });
    expect(now.output_text).toBe("1 messages");
    const next = await responses.create({ model, input: "two", previous_response_id: started.id });
    expect(next.output_text).toBe("3 messages");
    const plain = await responses.create({ model, input: "one" });
    expect(await rejectionOf(responses.cancel(plain.id))).toMatchObject({ status: 400 });
  });

  test("the stream of a response in the background is read from its start, and from any event", async () => {
    answerBoth();
    const { responses } = openaiAt(api());
    const events = [];
    for await (const event of await responses.create({ model, input: "one", background: true, stream: true }))
      events.push(event);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual([...events.keys()]);
    expect(events.at(-1)?.type).toBe("response.completed");
    const [created] = events;
    const id = created?.type === "response.created" ? created.response.id : "";
    for (const after of [0, 2, events.length - 1]) {
      const rest = [];
      for await (const event of await responses.retrieve(id, { stream: true, starting_after: after }))
        rest.push(event);
      expect(rest).toEqual(events.slice(after + 1));
    }
  });

  test("a stream whose socket was cut in mid-answer goes on", async () => {
    answerBoth();
    const { responses } = openaiAt(api());
    const stream = await responses.create({ model, input: "one", stream: true });
    const before = [];
    for await (const event of stream) {
      before.push(event);
      break;
    }
    stream.controller.abort();
    const [created] = before;
    const id = created?.type === "response.created" ? created.response.id : "";
    const rest = [];
    for await (const event of await responses.retrieve(id, { stream: true, starting_after: 0 }))
      rest.push(event);
    expect(rest.at(-1)).toMatchObject({ type: "response.completed", response: { id, status: "completed" } });
    expect(rest[0]?.sequence_number).toBe(1);
  });

  test("a conversation gets the turns of the responses that name it", async () => {
    answerBoth();
    const { responses, conversations } = openaiAt(api());
    const conversation = await conversations.create({
      metadata: { topic: "x" },
      items: [{ type: "message", role: "user", content: "zero" }],
    });
    await responses.create({ model, input: "one", conversation: conversation.id });
    const second = await responses.create({ model, input: "two", conversation: { id: conversation.id } });
    // A chat template wants the roles to alternate, so a translated request has the first two in one message.
    expect(second.output_text).toBe(model === "native" ? "4 messages" : "3 messages");
    const items = [];
    for await (const item of conversations.items.list(conversation.id, { order: "asc", limit: 2 }))
      items.push(item);
    expect(items).toHaveLength(5);
    const id = items[0] && "id" in items[0] ? String(items[0].id) : "";
    expect(await conversations.items.retrieve(id, { conversation_id: conversation.id })).toMatchObject({
      id,
    });
    await conversations.items.delete(id, { conversation_id: conversation.id });
    await conversations.items.create(conversation.id, {
      items: [{ type: "message", role: "user", content: "more" }],
    });
    expect(await conversations.update(conversation.id, { metadata: { topic: "y" } })).toMatchObject({
      metadata: { topic: "y" },
    });
    expect(await conversations.retrieve(conversation.id)).toMatchObject({ metadata: { topic: "y" } });
    await conversations.delete(conversation.id);
    expect(await rejectionOf(conversations.retrieve(conversation.id))).toMatchObject({ status: 404 });
  });

  test("the AI SDK's second turn works with its defaults, in which it names items by their ids", async () => {
    answerBoth();
    const options = { model: openaiProviderAt(api())(model), maxRetries: 0 };
    const first = await generateText({ ...options, prompt: "one" });
    const turn = [{ role: "user" as const, content: "one" }, ...(await first.responseMessages)];
    const second = await generateText({
      ...options,
      messages: [...turn, { role: "user" as const, content: "two" }],
    });
    expect(second.text).toBe("3 messages");
  });

  test("nobody gets, cancels, deletes or continues the response or conversation of another", async () => {
    answerBoth();
    const own = openaiAt(api());
    const other = openaiAt({ ...api(), apiKey: api().adminKey });
    const { id } = await own.responses.create({ model, input: "secret", background: true });
    const conversation = await own.conversations.create({});
    for (const attempt of [
      () => other.responses.retrieve(id),
      () => other.responses.cancel(id),
      () => other.responses.delete(id),
      () => other.responses.inputItems.list(id),
      () => other.conversations.retrieve(conversation.id),
      () => other.conversations.items.list(conversation.id),
      () => other.conversations.delete(conversation.id),
    ])
      expect(await rejectionOf(attempt())).toMatchObject({ status: 404 });
    const continued = await rejectionOf(
      other.responses.create({ model, input: "q", previous_response_id: id }),
    );
    expect(continued).toMatchObject({ status: 400 });
  });
});
