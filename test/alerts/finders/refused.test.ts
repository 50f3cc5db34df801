import { expect, test } from "bun:test";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { joinAgent } from "../../support/transport.ts";
import { createAlertsBench, messagesOf } from "../alerts-bench.ts";

const v2 = { protocol: "v2" as const };
test("a model that was here and is asked for is missed at once, until it is back", async () => {
  const bench = createAlertsBench({ limits: { reconnectGraceMs: 0 } });
  joinAgent(bench.relay, "other", { ...v2, models: ["another"] });
  const agent = joinAgent(bench.relay, "gpu-1", v2);
  agent.link.gone();
  expect(await bench.ask("1", { model: "m" })).toBe("no_agent");
  expect(await bench.look()).toMatchObject([
    { code: "model_missing", subject: "m", severity: "warning", details: { models: ["m"], requests: 1 } },
  ]);
  expect(messagesOf(bench)).toEqual(["No agent offers m, which was asked for once lately."]);
  joinAgent(bench.relay, "gpu-2", v2);
  await bench.look(2);
  expect(bench.codes()).toEqual([]);
});

test("a name that no agent ever offered is reported as a note if it was requested often, and only for a while", async () => {
  const bench = createAlertsBench();
  joinAgent(bench.relay, "a", v2);
  for (let time = 0; time < 4; time++) bench.monitor.refused(ADMIN, "model_not_found", "gpt-4o");
  expect(await bench.look()).toEqual([]);
  bench.monitor.refused(ADMIN, "model_not_found", "gpt-4o");
  bench.monitor.refused(ADMIN, "model_not_found", "<script>\n");
  expect(await bench.look()).toMatchObject([{ code: "model_missing", subject: "gpt-4o", severity: "info" }]);
  expect(await bench.look(16 * 60)).toEqual([]);
});

test("a user whose budget is used up, and whose program goes on asking, is a note", async () => {
  const bench = createAlertsBench();
  joinAgent(bench.relay, "a", v2);
  bench.users.set("u0", "Ann");
  for (let time = 0; time < 20; time++)
    bench.monitor.refused(userPrincipal("u0"), "limit_budget_month", undefined);
  await bench.look();
  expect(messagesOf(bench)).toEqual(["Ann was refused 20 times within 5 min by a limit: cost per month."]);
});

test("a missing model is not said to be over when the last agent leaves, and does not begin without an agent", async () => {
  const bench = createAlertsBench();
  const agent = joinAgent(bench.relay, "a", v2);
  const ask = (model: string) => {
    for (let time = 0; time < 5; time++) bench.monitor.refused(ADMIN, "model_not_found", model);
  };
  ask("before");
  expect(await bench.look()).toMatchObject([{ code: "model_missing", subject: "before" }]);
  agent.link.gone();
  ask("after");
  const found = (await bench.look(5)).filter(({ code }) => code === "model_missing");
  expect(found.map(({ subject }) => subject)).toEqual(["before"]);
});

test("a user who is refused by limits again and again is a note, and many such users are a problem", async () => {
  const bench = createAlertsBench();
  joinAgent(bench.relay, "a", v2);
  bench.users.set("u0", "Ann");
  const refuse = (user: string, times: number) => {
    for (let time = 0; time < times; time++)
      bench.monitor.refused(userPrincipal(user), "limit_requests", undefined);
  };
  refuse("u0", 19);
  expect(await bench.look()).toEqual([]);
  refuse("u0", 1);
  expect(await bench.look()).toMatchObject([
    {
      ...{ code: "users_limited", subject: "u0", severity: "info" },
      details: { users: [{ user_id: "u0", name: "Ann" }], requests: 20, refusals: ["limit_requests"] },
    },
  ]);
  expect(messagesOf(bench)).toEqual([
    "Ann was refused 20 times within 5 min by a limit: requests per minute.",
  ]);
  for (let user = 1; user < 5; user++) refuse(`u${user}`, 30);
  await bench.look();
  expect(bench.monitor.problems()).toMatchObject([
    { code: "users_limited", subject: "", severity: "warning", details: { count: 5, requests: 140 } },
  ]);
  expect(await bench.look(6 * 60)).toEqual([]);
});
