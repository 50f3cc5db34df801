import { expect, onTestFinished, test } from "bun:test";
import { startAgentProcess } from "../support/agent-process.ts";
import { startScene } from "../support/scene.ts";
import { until } from "../support/until.ts";

/** The beginning of every question, which no request of an agent itself has. */
const TOPIC = "conversation";
const CONVERSATIONS = 8;
const TURNS = 10;

/** An upstream that notes which conversations it was asked in, by their first messages. */
function startUpstream() {
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      if (request.method === "GET") return Response.json({ object: "list", data: [{ id: "m" }] });
      const topic = (await request.text()).match(/conversation \d+/)?.[0];
      if (topic === undefined) return new Response("", { status: 404 });
      asked.push(topic);
      await Bun.sleep(5 + (asked.length % 7) * 5);
      return Response.json({
        choices: [{ message: { role: "assistant", content: `answer ${asked.length}` } }],
      });
    },
  });
  onTestFinished(() => server.stop(true));
  return { asked, url: `http://127.0.0.1:${server.port}/v1` };
}

interface Chat {
  topic: string;
  messages: { role: string; content: string }[];
  /** The index of the upstream of each turn. */
  places: number[];
}

/** Two equal agents, and what asks the next question of a conversation. */
async function startPool() {
  const { url, agentKey, adminKey } = await startScene();
  const upstreams = [startUpstream(), startUpstream()] as const;
  const host = `${new URL(url).host}/agents/${agentKey}`;
  const start = (upstream: { url: string }) =>
    startAgentProcess([host, "--upstream", upstream.url, "--slots", "4"]);
  const agents = [await start(upstreams[0]), await start(upstreams[1])] as const;
  const headers = { authorization: `Bearer ${adminKey}` };

  async function askNext(chat: Chat) {
    chat.messages.push({ role: "user", content: `${chat.topic}, question ${chat.messages.length}` });
    const countOf = (place: 0 | 1) => upstreams[place].asked.filter((topic) => topic === chat.topic).length;
    const before = countOf(1);
    const body = JSON.stringify({ model: "m", messages: chat.messages });
    const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { choices: [{ message: Chat["messages"][number] }] };
    chat.messages.push(answer.choices[0].message);
    chat.places.push(countOf(1) > before ? 1 : 0);
  }
  return { url, headers, agents, askNext };
}

const movesOf = ({ places }: Chat): number =>
  places.filter((place, turn) => turn > 0 && place !== places[turn - 1]).length;

test("eight conversations over two agents stay where they are, and go on at the other one when an agent is killed", async () => {
  const { url, headers, agents, askNext } = await startPool();
  const system = { role: "system", content: "You are helpful." };
  const chats = Array.from({ length: CONVERSATIONS }, (_, number): Chat => {
    return { topic: `${TOPIC} ${number}`, messages: [system], places: [] };
  });
  const talk = async (turns: number) => {
    const each = async (chat: Chat) => {
      for (let turn = 0; turn < turns; turn++) await askNext(chat);
    };
    await Promise.all(chats.map(each));
  };
  await talk(TURNS);
  const moves = chats.reduce((sum, chat) => sum + movesOf(chat), 0);
  expect(moves).toBeLessThanOrEqual(0.05 * CONVERSATIONS * (TURNS - 1));
  // Both have work: affinity does not gather everything at one agent.
  expect(new Set(chats.map(({ places }) => places.at(-1)))).toEqual(new Set([0, 1]));

  agents[1].kill("SIGKILL");
  await agents[1].exited;
  await until(async () => {
    const response = await fetch(`${url}/api/connections`, { headers });
    return ((await response.json()) as { connections: unknown[] }).connections.length === 1;
  });
  await talk(2);
  for (const { places } of chats) expect(places.slice(-2)).toEqual([0, 0]);
});
