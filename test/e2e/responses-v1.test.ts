import { expect, test } from "bun:test";
import { generateText } from "ai";
import { useScene } from "../support/scene.ts";
import { openaiAt, openaiProviderAt } from "../support/sdks.ts";

const model = "chatgpt";
const scene = useScene();

test.each(["firefox", "python"] as const)(
  "responses over the %s agent are continued, read, resumed and made in the background",
  async (kind) => {
    await scene[kind]({ answer: ({ content }) => ({ content: `You asked: ${content}` }) });
    const address = { baseURL: `${scene.url}/v1`, apiKey: scene.adminKey };
    const { responses, conversations } = openaiAt(address);
    const first = await responses.create({ model, input: "one" });
    const second = await responses.create({ model, input: "two", previous_response_id: first.id });
    expect(second.output_text).toContain("two");
    expect((await responses.retrieve(second.id)).output).toEqual(second.output);

    const events = [];
    for await (const event of await responses.create({ model, input: "three", stream: true }))
      events.push(event);
    const [created] = events;
    const id = created?.type === "response.created" ? created.response.id : "";
    const rest = [];
    for await (const event of await responses.retrieve(id, { stream: true, starting_after: 2 }))
      rest.push(event);
    expect(rest).toEqual(events.slice(3));

    const started = await responses.create({ model, input: "four", background: true });
    let now = started;
    while (now.status === "queued" || now.status === "in_progress")
      now = await responses.retrieve(started.id);
    expect(now).toMatchObject({ status: "completed", output_text: "You asked: four" });

    const conversation = await conversations.create({});
    await responses.create({ model, input: "five", conversation: conversation.id });
    const { data } = await conversations.items.list(conversation.id);
    expect(data).toHaveLength(2);

    const options = { model: openaiProviderAt(address)(model), maxRetries: 0 };
    const said = await generateText({ ...options, prompt: "six" });
    const turn = [{ role: "user" as const, content: "six" }, ...(await said.responseMessages)];
    const next = await generateText({ ...options, messages: [...turn, { role: "user", content: "seven" }] });
    expect(next.text).toContain("seven");
  },
);
