import { describe, expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";
import { V2_HELLO, type V2Agent } from "../../support/v2-agent.ts";

const messages = [{ role: "user", content: "hi" }];
const ONLY_CHAT = ["chat/completions"];

interface Surface {
  path: string;
  body: object;
  /** The endpoints of the agent. */
  endpoints?: readonly string[];
}

const STREAMED: readonly Surface[] = [
  { path: "/api/ask", body: { content: "hi" } },
  { path: "/v1/chat/completions", body: { model: "m", messages } },
  { path: "/v1/completions", body: { model: "m", prompt: "hi" } },
  { path: "/v1/responses", body: { model: "m", input: "hi" } },
  { path: "/v1/messages", body: { model: "m", messages, max_tokens: 99 } },
  { path: "/v1/responses", body: { model: "m", input: "hi" }, endpoints: ONLY_CHAT },
  { path: "/v1/messages", body: { model: "m", messages, max_tokens: 99 }, endpoints: ONLY_CHAT },
];
const WHOLE: readonly Surface[] = [
  ...STREAMED,
  { path: "/v1/embeddings", body: { model: "m", input: "hi" } },
];

const chat = (delta: object, finish_reason: string | null = null) => ({
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason }],
});

/** The events of a streamed answer by the agent's endpoint: pieces of four tokens, its end, and its usage. */
const EVENTS: Record<string, { start?: object; piece: object; end: object; usage: object }> = {
  "chat/completions": {
    piece: chat({ content: "sixteen letters." }),
    end: chat({}, "stop"),
    usage: { choices: [], usage: { prompt_tokens: 30, completion_tokens: 20 } },
  },
  completions: {
    piece: { choices: [{ index: 0, text: "sixteen letters.", finish_reason: null }] },
    end: { choices: [{ index: 0, text: "", finish_reason: "stop" }] },
    usage: { choices: [], usage: { prompt_tokens: 30, completion_tokens: 20 } },
  },
  responses: {
    start: { type: "response.created", response: { id: "r", output: [] } },
    piece: { type: "response.output_text.delta", delta: "sixteen letters." },
    end: { type: "response.output_text.done", text: "sixteen letters.".repeat(5) },
    usage: { type: "response.completed", response: { usage: { input_tokens: 30, output_tokens: 20 } } },
  },
  messages: {
    start: { type: "message_start", message: { id: "m", usage: { input_tokens: 30, output_tokens: 1 } } },
    piece: { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "sixteen letters." } },
    end: { type: "content_block_stop", index: 0 },
    usage: { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 20 } },
  },
};

function sendEvents(agent: V2Agent, ask: string, events: readonly (object | undefined)[]): void {
  for (const event of events) {
    if (!event) continue;
    const name = "type" in event ? { event: String(event.type) } : {};
    agent.say({ type: "delta", ask, data: JSON.stringify(event), ...name });
  }
}

async function startHangUp({ path, body, endpoints }: Surface, stream: boolean) {
  const own = path === "/api/ask" ? ONLY_CHAT : [path.replace("/v1/", "")];
  const { server, agent } = await startModelScene({ hello: { ...V2_HELLO, endpoints: endpoints ?? own } });
  const caller = callerOf(server.url, await addLimitedUser(server.url, { tokens_per_day: 1_000_000 }));
  const leaver = new AbortController();
  const response = caller.post(path, { ...body, ...(stream && { stream }) }, { signal: leaver.signal });
  response.catch(() => {});
  const frame = await agent.next("ask");
  const input = Math.ceil(frame.body.length / 4);
  const used = async () => {
    const { usage } = (await (await caller.get("/api/usage?by=")).json()) as { usage: Counted[] };
    const [{ prompt_tokens = 0, completion_tokens = 0, estimated = 0, uncounted = 0 } = {}] = usage;
    return { input: prompt_tokens, output: completion_tokens, estimated, uncounted };
  };
  const left = async () =>
    Number((await caller.get("/api/usage")).headers.get("x-ratelimit-remaining-tokens"));
  return {
    agent,
    frame,
    input,
    /** Waits until the server has read all frames of the agent. */
    async haveArrived() {
      agent.say({ type: "update", slots: 9 });
      const headers = { authorization: ADMIN_KEY };
      const slots = async () =>
        (
          (await (await fetch(`${server.url}/admin/agents`, { headers })).json()) as {
            agents: [{ slots: number }];
          }
        ).agents[0].slots;
      await until(async () => (await slots()) === 9);
    },
    /** Waits until the caller has the text, hangs up, and returns the tokens that count. */
    async hangUp(text = "") {
      if (text !== "") await readUntil(await response, text);
      leaver.abort();
      expect((await agent.next("cancel")).ask).toBe(frame.ask);
      await until(async () => (await used()).input > 0);
      const tokens = await used();
      await until(async () => (await left()) === 1_000_000 - tokens.input - tokens.output);
      return tokens;
    },
  };
}

interface Counted {
  prompt_tokens: number;
  completion_tokens: number;
  estimated: number;
  uncounted: number;
}

async function readUntil(response: Response, wanted: string): Promise<void> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  for (let text = ""; !text.includes(wanted); ) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) throw new Error(`the answer ended without ${wanted}: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
}

const nameOf = ({ path, endpoints }: Surface) => (endpoints ? `${path}, translated` : path);

describe("callers who hang up", () => {
  test.each(WHOLE.map((surface) => [nameOf(surface), surface] as const))(
    "a caller of %s who hangs up before a whole answer has used its input",
    async (_, surface) => {
      const { hangUp, input } = await startHangUp(surface, false);
      expect(await hangUp()).toEqual({ input, output: 0, estimated: 1, uncounted: 0 });
    },
  );

  describe.each(STREAMED.map((surface) => [nameOf(surface), surface] as const))("%s", (name, surface) => {
    const eventsOf = (endpoint: string) => EVENTS[endpoint] ?? { piece: {}, end: {}, usage: {} };

    test(`a caller of ${name} who hangs up before the first byte has used the input`, async () => {
      const { hangUp, input } = await startHangUp(surface, true);
      expect(await hangUp()).toEqual({ input, output: 0, estimated: 1, uncounted: 0 });
    });

    test(`a caller of ${name} who hangs up in the middle has used what was passed on`, async () => {
      const { hangUp, input, agent, frame } = await startHangUp(surface, true);
      const { start, piece } = eventsOf(frame.endpoint);
      const last = JSON.parse(JSON.stringify(piece).replace("sixteen letters.", "and the last one"));
      sendEvents(agent, frame.ask, [start, piece, piece, piece, piece, last]);
      const tokens = await hangUp("and the last one");
      expect(tokens).toEqual({
        input: frame.endpoint === "messages" ? 30 : input,
        output: 20,
        estimated: 1,
        uncounted: 0,
      });
    });

    test(`a caller of ${name} who hangs up after the end of the text has used all of it`, async () => {
      const { hangUp, haveArrived, agent, frame } = await startHangUp(surface, true);
      const { start, piece, end } = eventsOf(frame.endpoint);
      sendEvents(agent, frame.ask, [start, piece, piece, piece, piece, piece, end]);
      await haveArrived();
      const { output, estimated } = await hangUp("sixteen letters.");
      expect(output).toBeWithin(15, 27);
      expect(estimated).toBe(1);
    });

    test(`a caller of ${name} who hangs up after the usage has used what it says`, async () => {
      const { hangUp, haveArrived, agent, frame } = await startHangUp(surface, true);
      const { start, piece, end, usage } = eventsOf(frame.endpoint);
      sendEvents(agent, frame.ask, [start, piece, piece, end, usage]);
      await haveArrived();
      expect(await hangUp("sixteen letters.")).toEqual({ input: 30, output: 20, estimated: 0, uncounted: 0 });
    });
  });
});
