import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { answering } from "../support/chat-agent.ts";
import { chooseSeed, createRandom, type Random } from "../support/random.ts";
import { type Scene, startScene, type User } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";
import { connectV2Agent } from "../support/v2-agent.ts";

const ROUNDS = 20;
/** The time of the kill in each round, after its first acknowledged user. */
const KILL_AFTER_MS = { min: 20, max: 500 };
const ASKERS = 4;
const ADDERS = 2;
const TOKENS = { prompt_tokens: 7, completion_tokens: 3 };
const TOKENS_PER_DAY = 1_000_000_000;

type Settings = Record<string, unknown>;

/** Everything that the server has acknowledged, over all rounds. */
interface Acknowledged {
  users: Map<string, { token: string; settings: Settings }>;
  /** A change that was sent but not acknowledged, and may have been made. */
  unclear: { id: string; settings: Settings } | undefined;
  /** The request ids of the answered asks of each asker, in order. */
  asks: string[][];
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

async function ask(scene: Scene, token: string, answered: string[]): Promise<void> {
  const { status, headers } = await scene.request("/v1/chat/completions", {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: '{"model":"m","messages":[]}',
  });
  if (status !== 200) throw new Error(`an ask was refused: ${status}`);
  answered.push(headers.get("x-request-id") ?? "");
}

/** Adds users, changes them and asks without a pause, until the server is killed in the middle of that. */
async function loadUntilKilled(scene: Scene, acknowledged: Acknowledged, random: Random): Promise<void> {
  const agent = await connectV2Agent(scene.url, answering(TOKENS));
  await addUser(scene, acknowledged, random);
  const { token } = [...acknowledged.users.values()].at(-1) ?? { token: "" };
  const first: string[] = [];
  await ask(scene, token, first);
  await until(() => first.every((id) => usageIn(scene.server.data).has(id)));
  acknowledged.asks = Array.from({ length: ASKERS }, () => []);
  let isKilled = false;
  const faults: unknown[] = [];
  const repeat = async (run: () => Promise<void>) => {
    while (!isKilled) {
      try {
        await run();
      } catch (error) {
        if (!isKilled) faults.push(error);
        return;
      }
    }
  };
  const load = [
    ...acknowledged.asks.map((answered) => repeat(() => ask(scene, token, answered))),
    ...Array.from({ length: ADDERS }, () => repeat(() => addUser(scene, acknowledged, random))),
    repeat(() => changeUser(scene, acknowledged, random)),
  ];
  await Bun.sleep(KILL_AFTER_MS.min + random.below(KILL_AFTER_MS.max - KILL_AFTER_MS.min));
  isKilled = true;
  scene.server.kill("SIGKILL");
  expect(await scene.server.exited).toMatchObject({ signal: "SIGKILL" });
  await Promise.all(load);
  agent.stop();
  expect(faults).toEqual([]);
}

/** Checks that every acknowledged user has the acknowledged settings, and that their token works. */
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

/** Returns the request ids of all asks with a usage row in the database. */
function usageIn(data: string): Set<string> {
  const database = new Database(join(data, "server.db"), { readonly: true });
  try {
    const rows = database.query<{ id: string }, []>("SELECT request_id AS id FROM usage").all();
    return new Set(rows.map(({ id }) => id));
  } finally {
    database.close();
  }
}

/** Checks that only the last asks of each asker have no row, and returns the number of lost rows. */
function checkUsage({ asks }: Acknowledged, kept: ReadonlySet<string>): number {
  const lost = asks.map((answered) => answered.filter((id) => !kept.has(id)));
  expect(lost).toEqual(
    asks.map((answered, index) => answered.slice(answered.length - (lost[index]?.length ?? 0))),
  );
  return lost.flat().length;
}

const seed = chooseSeed();
test(`kill -9 at 20 moments under load loses no acknowledged user or setting, and of usage only the newest rows (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const data = join(tempFolder(), "data");
  const acknowledged: Acknowledged = { users: new Map(), unclear: undefined, asks: [] };
  let lost = 0;
  let scene = await startScene({ data });
  for (let round = 0; round < ROUNDS; round++) {
    acknowledged.unclear = undefined;
    await loadUntilKilled(scene, acknowledged, random);
    scene = await startScene({ data, adminKey: scene.adminKey });
    await checkUsers(scene, acknowledged, random);
    lost += checkUsage(acknowledged, usageIn(data));
  }
  // Otherwise no kill came between an answer and its row, and the test shows nothing.
  expect(lost).toBeGreaterThan(0);
});
