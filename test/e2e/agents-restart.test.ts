import { expect, onTestFinished, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAgentProcess } from "../support/agent-process.ts";
import { type Executable, startExecutable } from "../support/executable.ts";
import { askStreamed, type StreamEnding } from "../support/stream-caller.ts";
import { until } from "../support/until.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";

const CALLERS = 24;
const WORDS = "and so on until the twenty words of it are all said and heard by whoever has asked for them";
const ADMIN_KEY = `admin-${crypto.randomUUID()}`;

interface Turn {
  id: string;
  question: string;
  answer: string;
}

/** Starts a server that can be restarted on its port and data, with two agents at one upstream. */
async function startSetup() {
  const data = await mkdtemp(join(tmpdir(), "chatgpt-api-restart-"));
  onTestFinished(() => rm(data, { recursive: true, force: true }));
  const first = await startExecutable({ args: ["0", ADMIN_KEY], data });
  const { url, port } = first;
  const upstream = await startFaultUpstream();
  for (let count = 0; count < 2; count++)
    await startAgentProcess([url, "--upstream", upstream.url, "--slots", "16"]);
  const setup = {
    url,
    upstream,
    server: first as Executable,
    async restart() {
      setup.server = await startExecutable({ args: [String(port), ADMIN_KEY], data });
    },
    async agentsBack() {
      await until(async () => (await agentsAt(url)).length === 2);
    },
  };
  return setup;
}

async function agentsAt(url: string): Promise<string[]> {
  const response = await fetch(`${url}/api/connections`, { headers: { authorization: ADMIN_KEY } });
  const { connections } = (await response.json()) as { connections: { Id: string }[] };
  return connections.map(({ Id }) => Id).toSorted();
}

/**
 * Starts callers that send requests without a pause, retry if the error allows it, and note any other error.
 */
function startLoad(url: string, explain: (ending: StreamEnding, caller: Caller) => boolean) {
  const seen = new Map<string, number>();
  /** One example of each kind. */
  const unexplained = new Map<string, string>();
  let over = false;
  let whole = 0;

  const note = (ending: StreamEnding, caller: Caller) => {
    const kind = `${ending.how} ${ending.status} ${ending.error}`.trim();
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    if (!explain(ending, caller)) unexplained.set(kind, ending.body.slice(-300));
  };

  const callers = Array.from({ length: CALLERS }, (_, index) => createCaller(url, index));
  const done = Promise.all(
    callers.map(async (caller) => {
      while (!over) {
        const ending = await caller.ask();
        if (ending.how === "whole") whole++;
        note(ending, caller);
        // Retry-After would make the test ten seconds longer. A client that retries earlier is refused again.
        if (ending.how !== "whole") await Bun.sleep(100);
      }
    }),
  );
  return {
    seen,
    unexplained,
    callers,
    whole: () => whole,
    async stop() {
      over = true;
      await done;
    },
  };
}

interface Caller {
  /** The turns of its conversation that were acknowledged. */
  turns: Turn[];
  conversation: string | undefined;
  ask(): Promise<StreamEnding>;
  recite(): Promise<StreamEnding>;
}

/** Every third caller has no conversation, and uses the OpenAI-style route. */
function createCaller(url: string, index: number): Caller {
  let count = 0;
  const caller: Caller = {
    turns: [],
    conversation: undefined,
    async ask() {
      const content = `${index} ${count++} ${WORDS}`;
      if (index % 3 === 0) {
        const body = { model: "slow-words", messages: [{ role: "user", content }] };
        const ending = await askStreamed(url, "/v1/chat/completions", { key: ADMIN_KEY, body });
        if (ending.how === "whole") expect(ending.text).toBe(content);
        return ending;
      }
      const ending = await converse(content, "slow-words");
      if (ending.how === "whole") {
        expect(ending.text).toBe(content);
        const answer = JSON.parse(ending.events.at(-2)?.data ?? "{}");
        caller.conversation = answer.conversation_id;
        caller.turns.push({ id: answer.response_id, question: content, answer: ending.text });
      }
      return ending;
    },
    recite: () => converse("recite", "recites"),
  };
  const converse = (content: string, model: string) =>
    askStreamed(url, "/api/ask", {
      key: ADMIN_KEY,
      body: {
        content,
        model,
        conversation_id: caller.conversation,
        parent_id: caller.turns.at(-1)?.id,
      },
    });
  return caller;
}

/** Whether the caller was refused with a Retry-After, or no server was listening. */
const mayRetry = ({ how, status, headers }: StreamEnding) =>
  how === "whole" ||
  how === "unreachable" ||
  (how === "refused" && status === 503 && Number(headers.get("retry-after")) > 0);

/** Expects that every conversation has all texts that were acknowledged, and no others. */
async function expectAllWords(callers: readonly Caller[]) {
  for (const { conversation, turns, recite } of callers) {
    if (conversation === undefined) continue;
    const { how, text } = await recite();
    expect(how).toBe("whole");
    const words = turns.flatMap(({ question, answer }) => [question, answer]);
    expect(JSON.parse(text).map(({ content }: { content: string }) => content)).toEqual([...words, "recite"]);
  }
}

test("after SIGTERM under load and a restart, requests have finished, agents are back with their identity, callers got at worst a 503, and conversations continue", async () => {
  const setup = await startSetup();
  const before = await agentsAt(setup.url);
  let stopping = false;
  // A connection that is made in the moment when the server stops listening is reset before anything has
  // begun.
  const explain = (ending: StreamEnding) =>
    mayRetry(ending) || (stopping && ending.how === "cut" && ending.status === 0);
  const load = startLoad(setup.url, explain);
  await until(() => load.whole() > CALLERS);
  stopping = true;
  setup.server.kill("SIGTERM");
  expect(await setup.server.exited).toEqual({ code: 0, signal: null });
  const wholeBefore = load.whole();
  await Bun.sleep(300);
  stopping = false;
  await setup.restart();
  await setup.agentsBack();
  await until(() => load.whole() > wholeBefore + CALLERS);
  await load.stop();

  expect([...load.unexplained]).toEqual([]);
  expect(await agentsAt(setup.url)).toEqual(before);
  expect(await setup.upstream.open()).toMatchObject({ open: 0, aborted: 0 });
  await expectAllWords(load.callers);
});

test("after kill -9 under load and a restart, agents are back with their identity, and everything acknowledged is kept", async () => {
  const setup = await startSetup();
  const before = await agentsAt(setup.url);
  let gone = false;
  /** The kill may cost a caller the one turn that was not written yet. */
  const lostTurns = new Map<Caller, Turn | undefined>();
  const explain = (ending: StreamEnding, caller: Caller) => {
    if (mayRetry(ending)) return true;
    // The process is gone, and with it every connection.
    if (ending.how === "cut") return gone;
    const last = caller.turns.at(-1);
    if (ending.status !== 404 || !last || lostTurns.get(caller) !== last) return false;
    lostTurns.delete(caller);
    caller.turns.pop();
    if (caller.turns.length === 0) caller.conversation = undefined;
    return true;
  };
  const load = startLoad(setup.url, explain);
  await until(() => load.whole() > CALLERS);
  gone = true;
  setup.server.kill("SIGKILL");
  await setup.server.exited;
  for (const caller of load.callers) lostTurns.set(caller, caller.turns.at(-1));
  const wholeBefore = load.whole();
  await setup.upstream.openUntil(({ open }) => open === 0);
  gone = false;
  await setup.restart();
  await setup.agentsBack();
  await until(() => load.whole() > wholeBefore + CALLERS);
  await load.stop();

  expect([...load.unexplained]).toEqual([]);
  expect(await agentsAt(setup.url)).toEqual(before);
  await expectAllWords(load.callers);
});
