import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chooseSeed, createRandom, type Random } from "../support/random.ts";
import { type Scene, startScene, type User } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";
import { answering } from "../support/user-caller.ts";
import { connectV2Agent } from "../support/v2-agent.ts";

const ROUNDS = 20;
/** When each round is killed, after its first acknowledged user. */
const KILL_AFTER_MS = { min: 20, max: 500 };
const LOST_MS = 100;
const ASKERS = 4;
const ADDERS = 2;
const TOKENS = { prompt_tokens: 7, completion_tokens: 3 };
const TOKENS_PER_DAY = 1_000_000_000;

type Settings = Record<string, unknown>;

/** What the server has acknowledged, over all rounds. */
interface Acknowledged {
  users: Map<string, { token: string; settings: Settings }>;
  /** A change that was sent and not acknowledged: it may have been made, or not. */
  unclear: { id: string; settings: Settings } | undefined;
  /** Request ids of answered asks, with the server's time at which the answer was here. */
  asks: { id: string; at: number }[];
}

/**
 * The time that the server had, in milliseconds: without what its main thread waited for a processor, as the
 * machine may be busy with other things. Only Linux tells that.
 */
function serverTime({ server }: Scene): number {
  const path = `/proc/${server.pid}/task/${server.pid}/schedstat`;
  const [, waitedNs = "0"] = existsSync(path) ? readFileSync(path, "utf8").split(" ") : [];
  return performance.now() - Number(waitedNs) / 1e6;
}

const asAdmin = ({ adminKey }: Scene, method: string, body: object) => ({
  method,
  headers: { authorization: adminKey },
  body: JSON.stringify(body),
});

async function addUser(scene: Scene, acknowledged: Acknowledged, random: Random): Promise<void> {
  const settings = {
    name: `user ${random.below(1e9)}`,
    requests_per_minute: 1e5 + random.below(1e6),
    tokens_per_day: TOKENS_PER_DAY + random.below(1e6),
    max_parallel: ASKERS + random.below(100),
  };
  const { status, body } = await scene.request<User & Settings>(
    "/admin/users/add",
    asAdmin(scene, "POST", settings),
  );
  if (status !== 200) throw new Error(`a user was refused: ${status}`);
  acknowledged.users.set(body.user_id, { token: body.token, settings });
}

async function changeUser(scene: Scene, acknowledged: Acknowledged, random: Random): Promise<void> {
  const [id, user] = random.pick([...acknowledged.users]);
  const settings = { ...user.settings, requests_per_minute: 1e6 + random.below(1e6) };
  acknowledged.unclear = { id, settings };
  const { status } = await scene.request(`/admin/users/${id}`, asAdmin(scene, "PATCH", settings));
  if (status !== 200) throw new Error(`a change was refused: ${status}`);
  user.settings = settings;
  acknowledged.unclear = undefined;
}

async function ask(scene: Scene, acknowledged: Acknowledged, token: string): Promise<void> {
  const { status, headers } = await scene.request("/v1/chat/completions", {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: '{"model":"m","messages":[]}',
  });
  if (status !== 200) throw new Error(`an ask was refused: ${status}`);
  acknowledged.asks.push({ id: headers.get("x-request-id") ?? "", at: serverTime(scene) });
}

/** Users, changes and asks without a pause, until the server is killed in the midst of them; gives when that was. */
async function loadUntilKilled(scene: Scene, acknowledged: Acknowledged, random: Random): Promise<number> {
  const agent = await connectV2Agent(scene.url, answering(TOKENS));
  await addUser(scene, acknowledged, random);
  const { token } = [...acknowledged.users.values()].at(-1) ?? { token: "" };
  let killedAt = Number.POSITIVE_INFINITY;
  const faults: unknown[] = [];
  const repeat = async (run: () => Promise<void>) => {
    while (killedAt === Number.POSITIVE_INFINITY) {
      try {
        await run();
      } catch (error) {
        if (killedAt === Number.POSITIVE_INFINITY) faults.push(error);
        return;
      }
    }
  };
  const load = [
    ...Array.from({ length: ASKERS }, () => repeat(() => ask(scene, acknowledged, token))),
    ...Array.from({ length: ADDERS }, () => repeat(() => addUser(scene, acknowledged, random))),
    repeat(() => changeUser(scene, acknowledged, random)),
  ];
  await Bun.sleep(KILL_AFTER_MS.min + random.below(KILL_AFTER_MS.max - KILL_AFTER_MS.min));
  // Once it has answered, nothing that it waited for is left out of its time.
  await scene.request("/health");
  killedAt = serverTime(scene);
  scene.server.kill("SIGKILL");
  expect(await scene.server.exited).toMatchObject({ signal: "SIGKILL" });
  await Promise.all(load);
  agent.stop();
  expect(faults).toEqual([]);
  return killedAt;
}

/** Every acknowledged user has the acknowledged settings, and his token works. */
async function checkUsers(scene: Scene, acknowledged: Acknowledged, random: Random): Promise<void> {
  const { users, unclear } = acknowledged;
  const init = { headers: { authorization: scene.adminKey } };
  const { body } = await scene.request<{ users: Settings[] }>("/admin/users?details=true", init);
  const present = new Map(body.users.map((user) => [user["user_id"], user]));
  for (const [id, user] of users) {
    const found = present.get(id);
    const wasMade = found?.["requests_per_minute"] === unclear?.settings["requests_per_minute"];
    if (unclear?.id === id && wasMade) user.settings = unclear.settings;
    expect(found, id).toMatchObject({ token: user.token, ...user.settings });
  }
  const some = [...users.values()];
  for (const { token } of [...some.slice(-3), random.pick(some)]) {
    const { status } = await scene.request("/api/usage", { headers: { authorization: token } });
    expect(status).toBe(200);
  }
}

/** How long before the kill the oldest ask was answered of which there is no row; 0 when there are all. */
function oldestLostMs(data: string, { asks }: Acknowledged, killedAt: number): number {
  const database = new Database(join(data, "server.db"), { readonly: true });
  try {
    const rows = database.query<{ id: string }, []>("SELECT request_id AS id FROM usage").all();
    const ids = new Set(rows.map(({ id }) => id));
    const lost = asks.filter(({ id }) => !ids.has(id));
    return Math.max(0, ...lost.map(({ at }) => killedAt - at));
  } finally {
    database.close();
  }
}

const seed = chooseSeed();
test(`kill -9 at 20 moments under load: no acknowledged user or setting is lost, and at most the last 100 ms of usage (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const data = join(tempFolder(), "data");
  const acknowledged: Acknowledged = { users: new Map(), unclear: undefined, asks: [] };
  const lostMs: number[] = [];
  let scene = await startScene({ data });
  for (let round = 0; round < ROUNDS; round++) {
    acknowledged.unclear = undefined;
    acknowledged.asks = [];
    const killedAt = await loadUntilKilled(scene, acknowledged, random);
    scene = await startScene({ data, adminKey: scene.adminKey });
    await checkUsers(scene, acknowledged, random);
    lostMs.push(oldestLostMs(data, acknowledged, killedAt));
  }
  expect(Math.max(...lostMs)).toBeLessThanOrEqual(LOST_MS);
  // Else the moments were badly chosen, or the clock of this test is not the server's.
  expect(Math.max(...lostMs)).toBeGreaterThan(0);
});
