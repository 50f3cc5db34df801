import { expect, test } from "bun:test";
import { readExposition, sampleValue } from "../support/exposition.ts";
import { useScene } from "../support/scene.ts";

const METRICS_KEY = `metrics-${crypto.randomUUID()}`;
const scene = useScene(["--metrics-key", METRICS_KEY]);

test("the executable returns its metrics for the metrics key, and reports whether it is ready", async () => {
  scene.server.keepSecret(METRICS_KEY);
  const headers = { authorization: `Bearer ${METRICS_KEY}` };
  expect((await scene.request("/metrics")).status).toBe(401);
  expect((await scene.request("/ready")).body).toEqual({
    status: "not ready",
    reasons: ["no agent accepts requests"],
  });
  await scene.firefox();
  expect((await scene.ask({ content: "hi" })).status).toBe(200);
  expect((await scene.request("/ready")).body).toEqual({ status: "ready" });

  const families = readExposition((await scene.request("/metrics", { headers })).text);
  const value = (name: string, labels = {}) => sampleValue(families, name, labels);
  const ask = { surface: "ask", model: "chatgpt", outcome: "ok" };
  expect(value("chatgpt_api_asks_total", ask)).toBe(1);
  expect(value("chatgpt_api_agents", { protocol: "v1" })).toBe(1);
  expect(value("chatgpt_api_build_info", { bun: Bun.version })).toBe(1);
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(10e6);
});
