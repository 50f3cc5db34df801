import { describe, expect, test } from "bun:test";
import { affinitySeed } from "../../../../src/auth/secret.ts";
import { affinityKeys, BOUNDARIES_MAX } from "../../../../src/http/models/affinity/keys.ts";
import { SESSION_HEADERS } from "../../../../src/http/models/affinity/session.ts";
import { entriesOf } from "../../../../src/json/edit.ts";
import type { Endpoint } from "../../../../src/protocol/agent-v2.ts";
import claudeCode from "../../../support/recorded/claude-code-2.1.332.json" with { type: "json" };
import codex from "../../../support/recorded/codex-0.171.0.json" with { type: "json" };

type Body = Record<string, unknown>;

const START = affinitySeed(undefined);

function keysOf(endpoint: Endpoint, body: unknown, headers: Record<string, string> = {}) {
  const text = JSON.stringify(body);
  const entries = text.startsWith("{") ? entriesOf(text) : [];
  const request = { text, json: JSON.parse(text), entries, headers: new Headers(headers), chainStart: START };
  return affinityKeys(endpoint, request) ?? { known: [], kept: [] };
}

type Keys = ReturnType<typeof keysOf>;

/** Returns the index of the first known key of a request that an earlier one has left; -1 if there is none. */
const foundAt = (later: Keys, ...earlier: Keys[]): number =>
  later.known.findIndex((key) => earlier.some(({ kept }) => kept.includes(key)));

const user = (content: unknown) => ({ role: "user", content });
const model = (content: unknown) => ({ role: "assistant", content });
const SYSTEM = { role: "system", content: "You are helpful." };
const chat = (...messages: unknown[]) => keysOf("chat/completions", { model: "m", messages });

describe("the keys of a chat", () => {
  test("the next turn finds the request before it first, and then the earlier ones", () => {
    const first = chat(SYSTEM, user("a"));
    const second = chat(SYSTEM, user("a"), model("b"), user("c"));
    const third = chat(SYSTEM, user("a"), model("b"), user("c"), model("d"), user("e"));
    expect([first, second, third].map(({ known }) => known.length)).toEqual([0, 1, 2]);
    expect(foundAt(second, first)).toBe(0);
    expect(foundAt(third, first, second)).toBe(0);
    expect(foundAt(third, first)).toBe(1);
    expect(foundAt(third, third)).toBe(-1);
    expect(third.kept).toHaveLength(1);
  });

  test("a changed message, system prompt or tool, and a session, make other keys", () => {
    const first = chat(SYSTEM, user("a"));
    expect(foundAt(chat(SYSTEM, user("A"), model("b"), user("c")), first)).toBe(-1);
    expect(foundAt(chat({ ...SYSTEM, content: "" }, user("a"), model("b"), user("c")), first)).toBe(-1);
    expect(foundAt(chat(user("a"), SYSTEM, model("b"), user("c")), first)).toBe(-1);
    const messages = [SYSTEM, user("a")];
    for (const more of [{ tools: [{ type: "function" }] }, { prompt_cache_key: "s" }])
      expect(foundAt(keysOf("chat/completions", { messages, ...more }), first)).toBe(-1);
  });

  test("instructions alone have no keys, and neither has an empty chat", () => {
    for (const messages of [[], [SYSTEM], [SYSTEM, { role: "developer", content: "x" }], undefined])
      expect(keysOf("chat/completions", { tools: [{}], messages })).toEqual({ known: [], kept: [] });
    expect(foundAt(chat(SYSTEM, user("b")), chat(SYSTEM, user("a")))).toBe(-1);
  });

  test("a tool's result is a turn of its own", () => {
    const call = { ...model(null), tool_calls: [{ id: "1", function: { name: "f", arguments: "{}" } }] };
    const result = { role: "tool", tool_call_id: "1", content: "42" };
    const turns = [user("a"), call, result];
    expect(foundAt(chat(...turns), chat(user("a")))).toBe(0);
    expect(foundAt(chat(...turns, model("42"), user("b")), chat(...turns))).toBe(0);
    const other = { ...model(null), tool_calls: [{ id: "1", function: { name: "g", arguments: "{}" } }] };
    expect(foundAt(chat(user("a"), other, result, model("42"), user("b")), chat(...turns))).toBe(-1);
  });

  test("a text and a list with that text are alike, with or without what moves between turns", () => {
    const plain = chat(user("a"), model("b"), user("c"));
    const cached = [{ type: "text", text: "c", cache_control: { type: "ephemeral" } }];
    const answer = {
      ...model([
        { type: "thinking", thinking: "hm" },
        { type: "text", text: "b" },
      ]),
    };
    const reasoned = { ...answer, reasoning_content: "hm" };
    expect(chat(user("a"), reasoned, user(cached))).toEqual(plain);
  });

  test("only the ends of a long text, such as an image, and its length count", () => {
    const image = (url: string) => chat(user([{ type: "image_url", image_url: { url } }]));
    const url = (end: string, length = 100_000) => `data:image/png;base64,${"A".repeat(length)}${end}`;
    expect(image(url("B"))).toEqual(image(url("B")));
    expect(image(url("B"))).not.toEqual(image(url("C")));
    expect(image(url("B"))).not.toEqual(image(url("B", 100_001)));
  });

  test("a long chat has a bounded number of keys, those of its last turns", () => {
    const turns = Array.from({ length: 500 }, (_, turn) => [user(`${turn}`), model("ok")]).flat();
    const long = chat(...turns, user("end"));
    expect(long.known).toHaveLength(BOUNDARIES_MAX - 1);
    expect(foundAt(long, chat(...turns.slice(0, -1)))).toBe(0);
    expect(foundAt(long, chat(...turns.slice(0, 100)))).toBe(-1);
    expect(long.kept).toHaveLength(1);
  });
});

describe("the keys of the other endpoints", () => {
  test("the system prompt of a message counts, but not its line for billing", () => {
    const message = (system: unknown, ...messages: unknown[]) => keysOf("messages", { system, messages });
    const first = message("Be brief.", user("a"));
    const turns = [user([{ type: "text", text: "a" }]), model("b"), user("c")];
    const billing = { type: "text", text: "x-anthropic-billing-header: cch=1;" };
    const system = [billing, { type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }];
    for (const equal of ["Be brief.", system, `${billing.text}\nBe brief.`])
      expect(foundAt(message(equal, ...turns), first)).toBe(0);
    expect(foundAt(message("Be long.", ...turns), first)).toBe(-1);
  });

  test("the input of a response may be a text or items", () => {
    const response = (input: unknown, more: Body = {}) =>
      keysOf("responses", { instructions: "Be brief.", input, ...more });
    const first = response("a");
    const items = [
      { type: "message", role: "user", content: [{ type: "input_text", text: "a" }] },
      { type: "reasoning", id: "rs_1", summary: [] },
      { type: "function_call", name: "f", arguments: "{}", call_id: "1" },
      { type: "function_call_output", call_id: "1", output: "42" },
    ];
    expect(response([user("a")])).toEqual(first);
    expect(foundAt(response(items), first)).toBe(0);
    const more = [...items, { role: "assistant", content: [{ type: "output_text", text: "b" }] }, user("c")];
    expect(foundAt(response(more), response(items))).toBe(0);
    expect(foundAt(response(items, { instructions: "Be long." }), first)).toBe(-1);
  });

  test("a reference to an answer is a turn of the model", () => {
    const response = (...input: unknown[]) => keysOf("responses", { input });
    const reference = (id: string) => ({ type: "item_reference", id });
    const second = [user("a"), reference("rs_1"), reference("msg_1"), user("b")];
    expect(foundAt(response(...second), response(user("a")))).toBe(0);
    const third = [...second, reference("msg_2"), user("c")];
    expect(foundAt(response(...third), response(...second))).toBe(0);
    expect(foundAt(response(...third), response(user("a")))).toBe(1);
    expect(foundAt(response(user("a"), reference("msg_3"), user("b")), response(...second))).toBe(-1);
  });

  test("a response that continues another has that one's key, and not that of its own few messages", () => {
    const response = (previous: string) =>
      keysOf("responses", { input: "a", previous_response_id: previous });
    expect(response("resp_1").known).toHaveLength(1);
    expect(response("resp_1").known).toEqual(response("resp_1").known);
    expect(response("resp_1").known).not.toEqual(response("resp_2").known);
    expect(response("resp_1").kept).toEqual([]);
  });

  test("a prompt has a key for each full block of 1,024 characters", () => {
    const prompt = (text: unknown) => keysOf("completions", { prompt: text });
    const text = Array.from({ length: 900 }, (_, word) => `word ${word}`).join(" ");
    const first = prompt(text.slice(0, 3000));
    expect(first.known).toHaveLength(2);
    expect(foundAt(prompt(text.slice(0, 3072)), first)).toBe(1);
    expect(foundAt(prompt([text]), first)).toBeGreaterThan(0);
    expect(foundAt(prompt(`x${text}`), first)).toBe(-1);
    for (const none of ["short", [text, text], [1, 2], null]) expect(prompt(none).known).toEqual([]);
    expect(prompt("x".repeat(5_000_000)).known).toHaveLength(BOUNDARIES_MAX);
  });

  test("embeddings and counted tokens have no keys", () => {
    for (const endpoint of ["embeddings", "messages/count_tokens"] as const)
      expect(keysOf(endpoint, { input: "a", messages: [user("a")], prompt_cache_key: "s" }).known).toEqual(
        [],
      );
  });
});

describe("the keys of a session", () => {
  const body = { messages: [user("a")] };
  const other = { messages: [user("b")] };

  test("each field and header of a session is a key, wherever the name stands", () => {
    const named = keysOf("chat/completions", { ...body, prompt_cache_key: "s-1" });
    expect(named.known).toHaveLength(1);
    expect(named.kept).toEqual([...named.kept.slice(0, 1), ...named.known]);
    const fields: Body[] = [
      { session_id: "s-1" },
      { conversation: "s-1" },
      { conversation: { id: "s-1" } },
      { metadata: { user_id: JSON.stringify({ device_id: "d", session_id: "s-1" }) } },
    ];
    for (const more of fields) expect(foundAt(keysOf("messages", { ...other, ...more }), named)).toBe(0);
    for (const name of SESSION_HEADERS)
      expect(foundAt(keysOf("messages", other, { [name]: "s-1" }), named), name).toBe(0);
    expect(foundAt(keysOf("messages", other, { "x-session-id": "s-2" }), named)).toBe(-1);
  });

  test("the user ids of earlier versions of Claude Code end with the session", () => {
    const id = "11111111-2222-4333-8444-555555555555";
    const old = keysOf("messages", { ...body, metadata: { user_id: `user_ab_account__session_${id}` } });
    expect(foundAt(keysOf("messages", other, { "x-claude-code-session-id": id }), old)).toBe(0);
  });

  test("the messages of a session count before the session, and its parts are apart", () => {
    const first = keysOf("messages", body, { "x-session-id": "s-1" });
    const part = keysOf("messages", other, { "x-session-id": "s-1" });
    const next = { messages: [user("a"), model("b"), user("c")] };
    const later = keysOf("messages", next, { "x-session-id": "s-1" });
    expect(foundAt(later, first)).toBe(0);
    expect(foundAt(later, part)).toBe(1);
    expect(foundAt(keysOf("messages", next), first)).toBe(-1);
  });

  test("a user id that names no session is the last key, and `user` and `safety_identifier` are not keys", () => {
    const first = keysOf("messages", { ...body, metadata: { user_id: "u-1" } });
    const second = keysOf("messages", { ...other, metadata: { user_id: "u-1" } });
    expect(foundAt(second, first)).toBe(0);
    expect(foundAt(keysOf("messages", body), first)).toBe(-1);
    for (const name of ["user", "safety_identifier"])
      expect(keysOf("chat/completions", { ...body, [name]: "u-1" }).known).toHaveLength(0);
  });

  test("a name that is empty or too long is ignored", () => {
    for (const name of ["", "x".repeat(513), 7, null, {}])
      expect(keysOf("chat/completions", { ...body, prompt_cache_key: name }).known).toHaveLength(0);
  });

  test("the second requests of Claude Code and Codex find their first ones, with and without the session", () => {
    for (const [endpoint, [first, second]] of [
      ["messages", claudeCode],
      ["responses", codex],
    ] as const) {
      expect(foundAt(keysOf(endpoint, second), keysOf(endpoint, first))).toBe(0);
      const anonymous = (request: object) =>
        keysOf(endpoint, { ...request, metadata: undefined, prompt_cache_key: undefined });
      expect(anonymous(second as object).known).toHaveLength(1);
      expect(foundAt(anonymous(second as object), anonymous(first as object))).toBe(0);
    }
  });
});

test("the nodes of a cluster make the same keys of a request, and other clusters make others", () => {
  const text = JSON.stringify({ messages: [user("a")] });
  const keysFor = (secret: string | undefined) =>
    affinityKeys("chat/completions", {
      ...{ text, json: JSON.parse(text), entries: entriesOf(text), headers: new Headers() },
      chainStart: affinitySeed(secret),
    })?.kept;
  expect(keysFor("a".repeat(32))).toEqual(keysFor("a".repeat(32)));
  expect(keysFor("a".repeat(32))).not.toEqual(keysFor("b".repeat(32)));
  expect(keysFor(undefined)).not.toEqual(keysFor(undefined));
});
