import { expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { chunk } from "../../support/v2-agent.ts";

test("an endless streamed answer ends in an error, in band if it has begun, and is cancelled", async () => {
  const data = chunk("x".repeat(500));
  const { server, agent, post } = await startModelScene(
    {
      onAsk: ({ ask }, self) => {
        for (let n = 0; n < 8; n++) self.say({ type: "delta", ask, data });
      },
    },
    ["--frame-max", "2KB"],
  );
  const ask = (stream: boolean) =>
    fetch(`${server.url}/api/ask`, {
      method: "POST",
      headers: { authorization: ADMIN_KEY },
      body: JSON.stringify({ content: "hi", stream }),
    });
  const whole = await ask(false);
  expect([whole.status, await whole.text()]).toEqual([502, expect.stringContaining("--frame-max")]);
  await agent.next("cancel");

  const streamed = await ask(true);
  expect(streamed.status).toBe(200);
  const events = (await streamed.text()).split("\n\n").filter(Boolean);
  expect([events.length, events.at(-1)]).toEqual([4, expect.stringContaining('"error":"Failed')]);
  await agent.next("cancel");

  const chat = await post("chat/completions", { model: "m", messages: [], stream: true });
  const text = await chat.text();
  expect(text.match(/xxx"/g)).toHaveLength(3);
  expect(text).toContain("--frame-max");
  expect(text).not.toContain("[DONE]");
  await agent.next("cancel");
});
