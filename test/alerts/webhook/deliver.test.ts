import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { createDeliver } from "../../../src/alerts/webhook/deliver.ts";
import { messageOf } from "../../../src/alerts/webhook/message.ts";
import type { WebhookSettings } from "../../../src/alerts/webhook/settings.ts";
import { AT, failing } from "../problems.ts";
import { startReceiver } from "./receiver.ts";

const deliver = createDeliver("test/1.2.3", () => AT);
const hasty = createDeliver("test/1.2.3", () => AT, 300);
const NEVER = new AbortController().signal;

const message = messageOf([{ event: "started", problem: failing("gpu-1") }], {
  ...{ id: "message-1", at: AT, open: 1 },
  server: { name: "chat.example.com", version: "1.2.3", url: "https://chat.example.com/dashboard#/overview" },
});

const to = (url: string, given: Partial<WebhookSettings> = {}): WebhookSettings => ({
  ...{ url, format: "generic", secret: undefined, severityMin: "warning", ...given },
});

test("a message is posted with its id, and signed with the secret", async () => {
  const { received, url } = startReceiver();
  const secret = "a secret of the receiver";
  expect(await deliver(message, to(`${url}?a=b`, { secret }), NEVER)).toEqual({
    ...{ isDelivered: true, isRetryable: false, status: 200, answer: "ok", retryAfterMs: undefined },
  });
  const [{ method, path, headers, text } = { text: "" }] = received;
  expect([method, path]).toEqual(["POST", "/hook?a=b"]);
  expect(headers?.get("alert-id")).toBe("message-1");
  expect(headers?.get("user-agent")).toBe("test/1.2.3");
  const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers?.get("alert-signature") ?? "") ?? [];
  expect(Number(time)).toBe(Math.floor(AT / 1000));
  expect(signature).toBe(createHmac("sha256", secret).update(`${time}.${text}`).digest("hex"));
  expect(JSON.parse(text)).toMatchObject({ id: "message-1", type: "problems" });
});

test("a message without a secret has no signature", async () => {
  const { received, url } = startReceiver();
  await deliver(message, to(url), NEVER);
  expect(received[0]?.headers.has("alert-signature")).toBe(false);
});

test("a login in the address is sent as a header, and not in the address", async () => {
  const { received, url } = startReceiver();
  await deliver(message, to(url.replace("http://", "http://me:p%40ss@")), NEVER);
  expect(received[0]?.headers.get("authorization")).toBe(`Basic ${btoa("me:p@ss")}`);
});

test("a redirect is not followed, and not tried again", async () => {
  const inner = startReceiver();
  const { url } = startReceiver(() => new Response(null, { status: 307, headers: { location: inner.url } }));
  expect(await deliver(message, to(url), NEVER)).toMatchObject({
    ...{ isDelivered: false, isRetryable: false, status: 307 },
    answer: "it answers with a redirect, which is not followed",
  });
  expect(inner.received).toEqual([]);
});

test("faults of the receiver may be tried again, and refusals may not", async () => {
  for (const [status, isRetryable] of [
    [500, true],
    [503, true],
    [429, true],
    [408, true],
    [400, false],
    [404, false],
    [410, false],
  ] as const) {
    const { url } = startReceiver(() => new Response("no\u0007\n  way", { status }));
    expect(await deliver(message, to(url), NEVER)).toMatchObject({
      ...{ isDelivered: false, status, isRetryable, answer: "no\\u0007 way" },
    });
  }
});

test("an answer that repeats the address, the login or the secret is shown without them", async () => {
  const secret = "a secret of the receiver";
  const { url } = startReceiver(() => {
    const login = `me:p@ssword, p%40ssword, ${btoa("me:p@ssword")}`;
    return new Response(`Cannot POST /hook/T0%20token/x?key=0123456789, T0 token; ${login}; ${secret}`, {
      status: 404,
    });
  });
  const address = `${url.replace("http://", "http://me:p%40ssword@")}/T0%20token/x?key=0123456789`;
  expect(await deliver(message, to(address, { secret }), NEVER)).toMatchObject({
    ...{ isDelivered: false, status: 404, answer: "Cannot POST ***, ***; ***, ***, ***; ***" },
  });
});

test("a long answer is cut between characters", async () => {
  const { url } = startReceiver((count) => new Response(`${"x".repeat(195 + count)}\u0007\u{1f600}y`));
  const answers = [];
  for (let length = 196; length <= 200; length++)
    answers.push((await deliver(message, to(url), NEVER)).answer);
  expect(answers).toEqual([196, 197, 198, 199, 200].map((length) => "x".repeat(length)));
});

test("a Retry-After is read in seconds and as a date", async () => {
  const answers = ["7", new Date(AT + 9_000).toUTCString(), "soon", "-5"];
  const { url } = startReceiver(
    (count) => new Response("", { status: 429, headers: { "retry-after": answers[count - 1] ?? "" } }),
  );
  const waits = [];
  for (const _ of answers) waits.push((await deliver(message, to(url), NEVER)).retryAfterMs);
  expect(waits).toEqual([7_000, 9_000, undefined, undefined]);
});

test("a receiver that never answers is given up, and so is one that is not there", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const { url } = startReceiver(() => promise);
  expect(await hasty(message, to(url), NEVER)).toMatchObject({
    ...{ isDelivered: false, isRetryable: true, status: undefined, answer: "it did not answer within 1 s" },
  });
  resolve(new Response());
  expect(await deliver(message, to("http://127.0.0.1:1/"), NEVER)).toMatchObject({
    ...{ isDelivered: false, isRetryable: true, answer: "connection refused" },
  });
});

test("an answer that is endless, or never ends, costs little and changes nothing", async () => {
  const endless = startReceiver(
    () =>
      new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.alloc(65_536, "x")) }),
      ),
  );
  const { answer, ...delivery } = await deliver(message, to(endless.url), NEVER);
  expect(delivery).toMatchObject({ isDelivered: true, status: 200 });
  expect(answer).toHaveLength(200);
  const silent = startReceiver(
    () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("hm")) })),
  );
  expect(await hasty(message, to(silent.url), NEVER)).toMatchObject({ isDelivered: true, answer: "hm" });
});

test("a delivery ends at once when it is stopped", async () => {
  const { url } = startReceiver(() => new Promise<Response>(() => {}));
  const stop = new AbortController();
  const patient = createDeliver("test", () => AT, 3_600_000);
  const delivery = patient(message, to(url), stop.signal);
  stop.abort();
  expect(await delivery).toMatchObject({ isDelivered: false });
});

test("each format arrives as its receiver takes it", async () => {
  const { received, url } = startReceiver();
  for (const format of ["generic", "slack", "discord", "ntfy"] as const)
    await deliver(message, to(url, { format }), NEVER);
  const [generic, slack, discord, ntfy] = received;
  const sentence = "gpu-1 has failed 4 of its last 4 requests: connection refused.";
  expect(JSON.parse(generic?.text ?? "")).toEqual({
    ...{ id: "message-1", type: "problems", at: new Date(AT).toISOString(), severity: "warning" },
    ...{ title: "1 problem: chat.example.com", open: 1, more: 0 },
    server: {
      ...{ name: "chat.example.com", version: "1.2.3", url: "https://chat.example.com/dashboard#/overview" },
    },
    problems: [
      {
        ...{ event: "started", id: "agent_failing:gpu-1", code: "agent_failing", severity: "warning" },
        ...{ since: new Date(AT).toISOString(), message: sentence, hint: expect.any(String) },
        details: failing("gpu-1").details,
      },
    ],
  });
  expect(JSON.parse(slack?.text ?? "").text).toContain(`Warning: ${sentence}`);
  const { content, allowed_mentions } = JSON.parse(discord?.text ?? "");
  expect(content).toContain("gpu\\-1 has failed 4 of its last 4 requests: connection refused.");
  expect(allowed_mentions).toEqual({ parse: [] });
  expect(ntfy?.text).toContain(`Warning: ${sentence}`);
  expect(Object.fromEntries(ntfy?.headers ?? [])).toMatchObject({
    ...{ title: "1 problem: chat.example.com", priority: "3", tags: "warning" },
    ...{ click: "https://chat.example.com/dashboard#/overview", "content-type": "text/plain; charset=utf-8" },
  });
});
