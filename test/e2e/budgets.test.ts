import { expect, test } from "bun:test";
import OpenAI from "openai";
import { startScene, type User } from "../support/scene.ts";

/** Four letters are a token, and each costs one euro. */
const PRICES = JSON.stringify({ currency: "EUR", models: { echo: { input: 1_000_000 } } });

test("the executable refuses requests above a budget as OpenAI does, with insufficient_quota", async () => {
  const scene = await startScene({ flags: ["--echo", "--prices", PRICES] });
  const { body } = await scene.request<User>("/admin/users/add", {
    method: "POST",
    headers: { authorization: scene.adminKey },
    body: JSON.stringify({ budget_month: 1 }),
  });
  scene.server.keepSecret(body.token);
  const client = new OpenAI({ baseURL: `${scene.url}/v1`, apiKey: body.token, maxRetries: 3 });
  const create = () =>
    client.chat.completions.create({
      model: "echo",
      messages: [{ role: "user", content: "four words of text" }],
    });
  expect((await create()).choices[0]?.message.content).toBe("four words of text");
  const error = await create().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OpenAI.RateLimitError);
  const { status, code, type, message } = error as InstanceType<typeof OpenAI.RateLimitError>;
  expect([status, code, type]).toEqual([429, "insufficient_quota", "insufficient_quota"]);
  expect(message).toContain("The budget of a month is 1 EUR");
  const headers = { authorization: `Bearer ${body.token}` };
  const usage = await scene.request<{ usage: { cost: number; refusals: object }[] }>("/api/usage?by=", {
    headers,
  });
  expect(usage.body.usage[0]?.cost).toBeGreaterThanOrEqual(1);
  expect(usage.body.usage[0]?.refusals).toEqual({ limit_budget_month: 1 });
});
