import { expect, test } from "bun:test";
import { readExposition, sampleValue } from "../../support/exposition.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";

const METRICS_KEY = "metrics-key-of-the-tests";

async function scrape(url: string, key = ADMIN_KEY) {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return readExposition(await response.text());
}

const statusOf = async (url: string, headers: Record<string, string> = {}) =>
  (await fetch(url, { headers })).status;

test("the metrics need the admin key or the metrics key in a header, also on this machine", async () => {
  const server = await startTestServer(["--metrics-key", METRICS_KEY]);
  const url = `${server.url}/metrics`;
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
  const added = await fetch(`${server.url}/admin/users/add`, {
    method: "POST",
    headers: bearer(ADMIN_KEY),
    body: "{}",
  });
  const { token } = (await added.json()) as { token: string };
  expect(await statusOf(url, bearer(METRICS_KEY))).toBe(200);
  expect(await statusOf(url, bearer(ADMIN_KEY))).toBe(200);
  expect(await statusOf(url)).toBe(401);
  expect(await statusOf(url, bearer(token))).toBe(401);
  expect(await statusOf(url, bearer(server.agentKey))).toBe(401);
  expect(await statusOf(url, bearer(`${METRICS_KEY}x`))).toBe(401);
  expect(await statusOf(`${url}?key=${METRICS_KEY}&admin_key=${ADMIN_KEY}`)).toBe(401);
  expect(await (await fetch(url)).json()).toMatchObject({
    hint: 'Send the metrics key, which --metrics-key sets, or the admin key, as "Authorization: Bearer".',
  });
});

test("the metrics key opens nothing else, and without one an empty key opens nothing", async () => {
  const server = await startTestServer(["--metrics-key", METRICS_KEY]);
  const headers = { authorization: `Bearer ${METRICS_KEY}` };
  for (const path of ["/admin/users", "/api/connections", "/v1/models"])
    expect(await statusOf(server.url + path, headers), path).toBe(401);
  const other = await startTestServer();
  for (const authorization of ["", "Bearer ", "Bearer undefined"])
    expect(await statusOf(`${other.url}/metrics`, { authorization })).toBe(401);
});

test("requests are counted with their outcome, under names that callers cannot make up", async () => {
  const { server, post, get } = await startModelScene({
    onAsk: ({ ask }, agent) => agent.say({ type: "done", ask, status: 200, body: "{}" }),
  });
  const messages = [{ role: "user", content: "hi" }];
  await post("chat/completions", { model: "m", messages });
  const sum = async () => [...(await scrape(server.url)).values()].flatMap(({ samples }) => samples).length;
  const oddities = async (n: number) => {
    const made = `made-up-${n}`;
    await post("chat/completions", { model: made, messages });
    const ask = { method: "POST", headers: { authorization: ADMIN_KEY } };
    await fetch(`${server.url}/api/ask`, { ...ask, body: JSON.stringify({ content: "hi", model: made }) });
    await get(`models/${made}`);
    await fetch(`${server.url}/${made}/${made}`);
  };
  await oddities(-1);
  await sum();
  const before = await sum();
  for (let n = 0; n < 250; n++) await oddities(n);
  expect(await sum()).toBe(before);

  const families = await scrape(server.url);
  const value = (name: string, labels = {}) => sampleValue(families, `chatgpt_api_${name}`, labels);
  expect(value("asks_total", { surface: "chat/completions", model: "m", outcome: "ok" })).toBe(1);
  const chat = { route: "/v1/chat/completions", method: "POST" };
  expect(value("http_requests_total", { ...chat, status: "200" })).toBe(1);
  expect(value("http_requests_total", { ...chat, status: "404" })).toBe(251);
  const ask = { route: "/api/ask", method: "POST" };
  expect(value("http_requests_total", { ...ask, status: "404" })).toBe(251);
  expect(value("http_requests_total", { route: "(unknown)", method: "GET", status: "404" })).toBe(251);
  expect(value("agents", { protocol: "v2" })).toBe(1);
  expect(value("agent_joins_total")).toBe(1);
  expect(value("websockets")).toBe(1);
  expect(value("http_requests_in_flight")).toBe(1);
});
