import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { type AgentProcess, startAgentProcess } from "../support/agent-process.ts";
import { expectNothingLeft, openFiles } from "../support/nothing-left.ts";
import { chooseSeed, createRandom, type Random } from "../support/random.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { askStreamed, type StreamEnding, type StreamPath } from "../support/stream-caller.ts";
import { until } from "../support/until.ts";
import { longAnswer } from "../support/upstream/fault-content.ts";
import { type FaultUpstream, startFaultUpstream } from "../support/upstream/start.ts";

const CALLERS = 200;
const USERS = 8;
const AGENTS = 4;
const SLOTS = 64;
const CHAOS_S = Number(process.env["CHAOS_S"] ?? 60);
/** How many of 100 streams their caller leaves. */
const LEAVE_PER_100 = 15;
/** This many streams, and up to as many more, end between one killing of an agent and the next. */
const STREAMS_PER_KILL = 150;
const SIZE_MAX = 48 * 1024;
/** About six bytes a word, and 20 ms between one word and the next. */
const SLOW_SIZE_MAX = 1500;
/** How much the memory of the server may grow after the first third. */
const GROWTH_MB_MAX = 150;

const PATHS: readonly StreamPath[] = ["/api/ask", "/v1/chat/completions"];
const FLAGS = ["--reconnect-grace", "2m"];

/** The errors that a caller may get instead of an answer, in band or with a status. */
const ERRORS = [
  /^(failed 200|refused 502) Failed to read response from the client$/,
  /^(failed 200|refused 502) The agent was lost: the connection was closed\.$/,
];

const seed = chooseSeed();

/** Starts four agents. Kills one at a time and replaces it, until `calm` is called. */
function startAgents(scene: Scene, upstream: FaultUpstream, tally: Tally, random: Random) {
  const running: AgentProcess[] = [];
  let over = false;
  let kills = 0;
  const startOne = async () => {
    const flags = ["--upstream", upstream.url, "--slots", String(SLOTS)];
    running.push(await startAgentProcess([scene.url, ...flags]));
  };
  const killAll = async () => {
    while (!over) {
      const next = tally.streams + STREAMS_PER_KILL + random.below(STREAMS_PER_KILL);
      await until(() => over || tally.streams >= next);
      if (over) return;
      const [victim] = running.splice(random.below(running.length), 1);
      await victim?.stop();
      kills++;
      await Bun.sleep(random.below(500));
      await startOne();
    }
  };
  let killing: Promise<void> | undefined;
  return {
    running,
    kills: () => kills,
    async start() {
      for (let count = 0; count < AGENTS; count++) await startOne();
      killing = killAll();
    },
    async calm() {
      over = true;
      await killing;
    },
  };
}

/** How all streams ended. */
interface Tally {
  streams: number;
  kinds: Map<string, number>;
  /** One example of each kind of fault. */
  wrong: Map<string, string>;
  responses: Set<string>;
}

function note(tally: Tally, path: StreamPath, ending: StreamEnding, expected: string): void {
  const kind = ending.how === "left" ? "left" : `${ending.how} ${ending.status} ${ending.error}`.trim();
  tally.streams++;
  tally.kinds.set(kind, (tally.kinds.get(kind) ?? 0) + 1);
  const faults =
    ending.how === "whole"
      ? faultsOfWhole(tally, path, ending, expected)
      : faultsOfRest(kind, ending, expected);
  for (const fault of faults) tally.wrong.set(`${fault}: ${path} ${kind}`, ending.body.slice(-500));
}

function* faultsOfWhole(
  tally: Tally,
  path: StreamPath,
  { text, events }: StreamEnding,
  expected: string,
): Generator<string> {
  if (text !== expected) yield "the wrong answer";
  if (events.filter(({ data }) => data === "[DONE]").length !== 1) return yield "[DONE] twice";
  const last = JSON.parse(events.at(-2)?.data ?? "null");
  const isAsk = path === "/api/ask";
  if (isAsk ? last.content !== expected : last.choices[0].finish_reason !== "stop") yield "no proper end";
  const id = isAsk ? last.response_id : last.id;
  if (tally.responses.has(id)) yield "an answer given twice";
  tally.responses.add(id);
}

function* faultsOfRest(kind: string, { text, body }: StreamEnding, expected: string): Generator<string> {
  // The part before the end must be right, too, with nothing twice.
  if (!expected.startsWith(text)) yield "not the beginning of the answer";
  if (kind === "left") return;
  if (!ERRORS.some((pattern) => pattern.test(kind))) yield "an unexpected error";
  if (body.includes("[DONE]")) yield "an error and [DONE]";
}

interface Load {
  scene: Scene;
  keys: readonly string[];
  tally: Tally;
  /** By `performance.now()`. */
  until: number;
  /** Returns a number that was not used before. */
  next: () => number;
}

/** Requests one stream after another until the time is over. */
async function runCaller({ scene, keys, tally, until, next }: Load, random: Random) {
  while (performance.now() < until) {
    const path = random.pick(PATHS);
    const leaves = random.below(100) < LEAVE_PER_100;
    const leaveAfter = random.pick([{ ms: random.below(1500) }, { bytes: 1 + random.below(60_000) }]);
    const stalls = leaves && "ms" in leaveAfter && random.below(2) === 0;
    const { model, content, expected } = stalls ? stallingQuestion(next()) : createQuestion(next(), random);
    const ending = await askStreamed(scene.url, path, {
      key: random.pick(keys),
      body: { model, ...(path === "/api/ask" ? { content } : chatOf(content)) },
      ...(leaves && { leaveAfter }),
    });
    note(tally, path, ending, expected);
  }
}

/**
 * Returns a unique question and its answer: a long text as fast as possible, or a short one word by word, so
 * that most streams are under way when their agent is killed.
 */
function createQuestion(ownSeed: number, random: Random) {
  if (random.below(2) === 0) {
    const size = 1 + random.below(1 + random.below(SIZE_MAX));
    const content = JSON.stringify({ seed: ownSeed, size });
    return { model: "long", content, expected: longAnswer(ownSeed, size) };
  }
  const content = `${ownSeed} ${longAnswer(ownSeed, 1 + random.below(SLOW_SIZE_MAX))}`;
  return { model: "slow-words", content, expected: content };
}

/** Returns a question whose answer never ends, unless its caller or its agent ends it. */
function stallingQuestion(ownSeed: number) {
  const content = `${ownSeed} three words and no more`;
  return { model: "stalls", content, expected: content };
}

const chatOf = (content: string) => ({ messages: [{ role: "user", content }] });

async function memoryMb({ server }: Scene): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  return Math.round(Number(status.match(/VmRSS:\s+(\d+)/)?.[1]) / 1024);
}

/** Measures the memory every half second until `stop` is called. */
function watchMemory(scene: Scene) {
  const seen: number[] = [];
  const look = async () => seen.push(await memoryMb(scene));
  const timer = isLinux ? setInterval(() => void look(), 500) : undefined;
  return {
    seen,
    /** Returns the maximum of the first third, and of the last. */
    stop(): [early: number, late: number] {
      clearInterval(timer);
      const third = Math.ceil(seen.length / 3);
      return [Math.max(0, ...seen.slice(0, third)), Math.max(0, ...seen.slice(-third))];
    },
  };
}

const isLinux = process.platform === "linux";

/** Sends as many requests as there are slots, and expects all of them at the upstream at once. */
async function expectAllSlots(scene: Scene, upstream: FaultUpstream) {
  await upstream.reset();
  const count = AGENTS * SLOTS;
  const asks = Array.from({ length: count }, (_, index) => {
    const content = JSON.stringify({ delay_ms: 15_000, key: `all ${index}` });
    const body = { model: "slow-head", ...chatOf(content) };
    return { content, ending: askStreamed(scene.url, "/v1/chat/completions", { key: scene.adminKey, body }) };
  });
  await upstream.openUntil(({ open }) => open === count);
  for (const { content, ending } of asks) {
    const { how, text } = await ending;
    expect([how, text]).toEqual(["whole", content]);
  }
  expect(await upstream.openUntil(({ open }) => open === 0)).toMatchObject({ started: count, aborted: 0 });
}

test(
  `${CALLERS} streams over ${AGENTS} agents of ${SLOTS} slots survive random kills of agents and callers for ${CHAOS_S} s: each is byte-exact or ends with an error, and nothing is left behind (SEED=${seed})`,
  async () => {
    const upstream = await startFaultUpstream();
    const scene = await startScene({ flags: FLAGS });
    const keys = [scene.adminKey];
    // One after another, as connections are kept for a minute.
    while (keys.length < USERS) keys.push((await scene.addUser()).token);
    const filesBefore = await openFiles(scene);
    const tally: Tally = { streams: 0, kinds: new Map(), wrong: new Map(), responses: new Set() };
    const agents = startAgents(scene, upstream, tally, createRandom(seed));
    await agents.start();

    const memory = watchMemory(scene);
    let asked = 0;
    const load = { scene, keys, tally, until: performance.now() + CHAOS_S * 1000, next: () => ++asked };
    await Promise.all(
      Array.from({ length: CALLERS }, (_, caller) => runCaller(load, createRandom(seed ^ (caller + 1)))),
    );
    await agents.calm();
    const [early, late] = memory.stop();

    expect([...tally.wrong]).toEqual([]);
    const count = (pattern: RegExp) =>
      [...tally.kinds].reduce((sum, [kind, times]) => (pattern.test(kind) ? sum + times : sum), 0);
    expect(count(/^whole/)).toBeGreaterThan(tally.streams / 2);
    expect(count(/^left/)).toBeGreaterThan(0);
    expect(count(/^failed/)).toBeGreaterThan(agents.kills());
    expect(late - early).toBeLessThan(GROWTH_MB_MAX);

    await upstream.openUntil(({ open }) => open === 0);
    await until(async () => (await scene.connections()).length === AGENTS);
    await expectAllSlots(scene, upstream);

    await Promise.all(agents.running.map((agent) => agent.stop()));
    expect(await upstream.open()).toMatchObject({ open: 0 });
    await expectNothingLeft(scene, filesBefore);
  },
  CHAOS_S * 1000 + 300_000,
);
