import { expect, test } from "bun:test";
import type { AppError } from "../../../src/errors.ts";
import { CLOSE } from "../../../src/protocol/close.ts";
import type { Relay } from "../../../src/relay/relay.ts";
import type { AskRequest } from "../../../src/relay/types.ts";
import { createAgentCluster, ID, pass } from "./agent-cluster.ts";

type Agent = ReturnType<ReturnType<ReturnType<typeof createAgentCluster>["add"]>["connect"]>;

/** Asks a question of a v1 agent. Resolves with the answer, or with the code of the error. */
function ask(relay: Relay, content: string, more: Partial<AskRequest> = {}): Promise<string> {
  const v1 = { message_id: "", conversation_id: "", parent_id: "", content };
  const origin = { requestId: content, surface: "test" };
  const request: AskRequest = { principal: { kind: "admin" }, work: { v1 }, origin, ...more };
  return relay.ask(request, new AbortController().signal).then(
    ({ answer }) => (answer.kind === "v1" ? answer.answer.content : `${answer.status}`),
    ({ code }: AppError) => code,
  );
}

/** The questions that the agent has got over this connection. */
const questionsOf = ({ sent }: Agent): string[] =>
  sent.flatMap(({ message, data }) => (message === "ChatGptRequest" ? [JSON.parse(data).content] : []));

function answerLast({ sent, say }: Agent): void {
  const last = sent.findLast(({ message }) => message === "ChatGptRequest");
  say({
    id: last?.id,
    message: "",
    data: JSON.stringify({ content: `re: ${JSON.parse(last?.data ?? "").content}` }),
  });
}

async function threeNodes() {
  const cluster = createAgentCluster();
  const [a, b, c] = [cluster.add("a"), cluster.add("b"), cluster.add("c")];
  await pass(cluster.clock, 5);
  return { ...cluster, a, b, c };
}

test("the requests of an agent that comes back to another node follow it there, and get one answer each", async () => {
  const { clock, a, b, c } = await threeNodes();
  const old = a.connect();
  await pass(clock, 30);
  const [running, waiting] = [ask(c.relay, "running"), ask(b.relay, "waiting")];
  await pass(clock, 50);
  expect(questionsOf(old)).toEqual(["running"]);
  const back = b.connect();
  await pass(clock, 100);
  expect([old.closed, questionsOf(back).length]).toEqual([[CLOSE.replaced], 1]);
  answerLast(back);
  await pass(clock, 100);
  answerLast(back);
  await pass(clock, 50);
  expect(await Promise.all([running, waiting])).toEqual(["re: running", "re: waiting"]);
  expect(questionsOf(back).toSorted()).toEqual(["running", "waiting"]);
});

test("a conversation whose agent is nowhere waits until the agent is back at whatever node", async () => {
  const { clock, a, b, c } = await threeNodes();
  const old = a.connect();
  await pass(clock, 30);
  old.connection.closed();
  await pass(clock, 30);
  const followUp = ask(c.relay, "next", { pin: ID });
  await pass(clock, 3_000);
  const back = b.connect();
  await pass(clock, 100);
  expect(questionsOf(back)).toEqual(["next"]);
  answerLast(back);
  await pass(clock, 10);
  expect(await followUp).toBe("re: next");
});

test("a conversation waits for an agent whose node is lost, but not for ever", async () => {
  const { clock, a, c, remove } = await threeNodes();
  a.connect();
  await pass(clock, 30);
  remove("a");
  const followUp = ask(c.relay, "next", { pin: ID });
  await pass(clock, 11_000);
  expect(await followUp).toBe("conversation_agent_gone");
});

test("a conversation with an agent that no node knows ends at once", async () => {
  const { c } = await threeNodes();
  expect(await ask(c.relay, "next", { pin: ID })).toBe("conversation_agent_gone");
});
