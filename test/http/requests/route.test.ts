import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startModelScene } from "../../support/model-scene.ts";
import { readCsv } from "../../support/read-csv.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";
import { streamPieces, V2_HELLO } from "../../support/v2-agent.ts";

/** A server with one good and one failing model, and a request for each by two users and the administrator. */
async function startScene() {
  const { server, post } = await startModelScene({
    hello: { ...V2_HELLO, name: "gpu box", models: [{ id: "m" }, { id: "broken" }] },
    onAsk({ ask, body }, agent) {
      if (!body.includes("broken")) return streamPieces(agent, ask, ["fine"]);
      agent.say({
        type: "fail",
        ask,
        status: 500,
        error: { message: "CUDA out of memory" },
        retryable: false,
      });
    },
  });
  const [ann, bob] = [await addLimitedUser(server.url), await addLimitedUser(server.url)];
  await callerOf(server.url, ann)
    .chat({ stream: true })
    .then((response) => response.text());
  await callerOf(server.url, ann).chat({ model: "broken" });
  await callerOf(server.url, bob).chat({ model: "broken" });
  await post("chat/completions", { model: "broken", messages: [] });
  const get = (path: string, key = ADMIN_KEY) =>
    fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  const list = async (query = "", path = "/admin/requests", key = ADMIN_KEY) =>
    (await (await get(`${path}?${query}`, key)).json()) as {
      requests: Record<string, unknown>[];
      next: string | null;
    };
  return { server, ann, bob, get, list };
}

describe("GET /admin/requests", () => {
  test("a failed request is listed with its reason and its agent, and without its content", async () => {
    const { ann, list } = await startScene();
    const { requests, next } = await list(`user=${ann.user_id}&outcome=failed`);
    expect(next).toBeNull();
    const agent = { id: expect.any(String), name: "gpu box" };
    const error = "The agent could not answer: CUDA out of memory";
    expect(requests).toMatchObject([
      {
        ...{ user: { user_id: ann.user_id, name: null }, agent, model: "broken", outcome: "agent_failed" },
        ...{ surface: "chat/completions", upstream_status: 500, error, tries: 1, first_byte_ms: null },
        failed_tries: [{ agent, code: "agent_failed", error }],
      },
    ]);
    expect(JSON.stringify(requests)).not.toContain("messages");
  });

  test("requests are filtered, and their pages go on where the one before ended", async () => {
    const { bob, list } = await startScene();
    const all = (await list()).requests;
    expect(all).toHaveLength(4);
    const first = await list("limit=3");
    const second = await list(`limit=3&before=${first.next}`);
    expect([...first.requests, ...second.requests]).toEqual(all);
    expect(second.next).toBeNull();
    const count = async (query: string) => (await list(query)).requests.length;
    expect(await count("user=admin")).toBe(1);
    expect(await count(`user=${bob.user_id}&model=broken`)).toBe(1);
    expect(await count("outcome=ok")).toBe(1);
    expect(await count("outcome=agent_failed&surface=chat/completions")).toBe(3);
    expect(await count("surface=responses")).toBe(0);
    expect(await count("agent=nobody")).toBe(0);
    expect(await count(`id=${all[1]?.["request_id"]}`)).toBe(1);
    expect(await count("from=2999-01-01")).toBe(0);
    expect(await count("to=2020-01-01")).toBe(0);
  });

  test("the list is available as CSV, which names the next page", async () => {
    const { get } = await startScene();
    const response = await get("/admin/requests?format=csv&limit=2");
    const lines = (await response.text()).trim().split("\r\n");
    expect(lines[0]).toStartWith("at,request_id,model,surface,outcome,upstream_status,error,");
    expect(lines).toHaveLength(3);
    expect(response.headers.get("x-next")).toMatch(/^\d+\.\d+$/);
  });

  test("a long list is sent as CSV while it is read, with filters, and has each request once", async () => {
    const { server, ann, list, get } = await startScene();
    await get("/admin/requests");
    const database = new Database(join(server.data, "server.db"));
    database.run(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3499)
      INSERT INTO usage (at, request_id, model, surface, outcome, tries, queue_ms, duration_ms)
      SELECT ?1 + i % 1000, 'req_' || i, '=x,"y"', 'ask', iif(i % 2 = 0, 'agent_failed', 'ok'), 1, 1, 1 FROM n`,
      [Date.now() - 60_000],
    );
    database.close();
    expect((await list("limit=1")).next).not.toBeNull();
    const file = async (query: string, key?: string, path = "/admin/requests") => {
      const response = await get(`${path}?format=csv&${query}`, key);
      expect(response.headers.get("content-disposition")).toBe('attachment; filename="requests.csv"');
      return { rows: readCsv(await response.text()).slice(1), response };
    };
    const { rows, response } = await file("limit=100000&outcome=failed");
    expect(response.headers.get("x-next")).toBeNull();
    expect(new Set(rows.map(([, id]) => id)).size).toBe(1_750 + 3);
    expect(rows).toHaveLength(1_750 + 3);
    const times = rows.map(([time = ""]) => time);
    expect(times).toEqual(times.toSorted().toReversed());
    expect((await file("limit=1001")).rows).toHaveLength(1_001);
    expect((await file("limit=2000&outcome=ok&agent=nobody")).rows).toEqual([]);
    const { next } = await list("limit=2");
    expect((await file(`limit=99999&before=${next}`)).rows).toHaveLength(3_502);
    expect((await file("limit=50000", ann.token, "/api/requests")).rows).toHaveLength(2);
    for (const query of ["limit=1001", "format=csv&limit=100001"]) {
      const refused = await get(`/admin/requests?${query}`);
      expect(refused.status).toBe(400);
      expect(await refused.text()).toContain("give a number from 1 to 1000, or up to 100000 as CSV");
    }
  });

  test("a query that is not valid is refused", async () => {
    const { get } = await startScene();
    for (const query of ["limit=0", "limit=1001", "outcome=nonsense", "before=1", "from=noon", "format=xml"])
      expect([query, (await get(`/admin/requests?${query}`)).status]).toEqual([query, 400]);
  });
});

describe("GET /api/requests", () => {
  test("users see their own requests only, and nothing of agents", async () => {
    const { ann, bob, list, get } = await startScene();
    const own = await list("", "/api/requests", ann.token);
    expect(own.requests.map(({ model }) => model)).toEqual(["broken", "m"]);
    expect(JSON.stringify(own)).not.toContain("gpu box");
    expect(own.requests[0]).not.toHaveProperty("agent");
    expect((await list(`user=${bob.user_id}`, "/api/requests", ann.token)).requests).toHaveLength(2);
    expect((await get("/admin/requests", ann.token)).status).toBe(401);
  });
});
