import { describe, expect, test } from "bun:test";
import { readChunk } from "../../../../src/dashboard/pages/try/chat-chunk.ts";
import { createEventReader } from "../../../../src/dashboard/pages/try/event-stream.ts";
import { createStreamedText, cutAtLines } from "../../../../src/dashboard/pages/try/streamed-text.ts";

describe("server-sent events", () => {
  const TEXTS: Record<string, string> = {
    "line feeds": "data: one\n\ndata: two\ndata: lines\n\n: remark\n\ndata:\n\ndata: [DONE]\n\n",
    "pairs of return and line feed":
      "data: one\r\n\r\ndata: two\r\ndata: lines\r\n\r\n: remark\r\n\r\ndata:\r\n\r\ndata: [DONE]\r\n\r\n",
    returns: "data: one\r\rdata: two\rdata: lines\r\r: remark\r\rdata\r\rdata: [DONE]\r\r",
    "other fields":
      "id: 1\nevent: x\ndata: one\nretry: 5\n\ndata:two\ndata: lines\n\ndata:\n\ndata:[DONE]\n\n",
    "no blank line at the end": "data: one\n\ndata: two\ndata: lines\n\ndata:\n\ndata: [DONE]",
  };

  test.each(Object.entries(TEXTS))("with %s are the same wherever they are cut", (_name, text) => {
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        const reader = createEventReader();
        const parts = [text.slice(0, first), text.slice(first, second), text.slice(second)];
        const events = [...parts.flatMap(reader.push), ...reader.end()];
        expect(events).toEqual(["one", "two\nlines", "", "[DONE]"]);
      }
    }
  });

  test("are given as soon as they are complete, a return being enough", () => {
    const reader = createEventReader();
    expect(reader.push("data: one\r\n\r")).toEqual(["one"]);
    expect(reader.push("\ndata: two\n")).toEqual([]);
    expect(reader.push("\n")).toEqual(["two"]);
    expect(reader.end()).toEqual([]);
  });
});

describe("a piece of an answer", () => {
  const delta = (delta: unknown, more = {}) => JSON.stringify({ choices: [{ delta, ...more }], usage: null });

  test("has the text, the reasoning under either name, or what was refused", () => {
    expect(readChunk(delta({ role: "assistant", content: "Hi" }))).toEqual({ text: "Hi" });
    expect(readChunk(delta({ content: null, reasoning_content: "Hm" }))).toEqual({ reasoning: "Hm" });
    expect(readChunk(delta({ content: "", reasoning: "Hm" }))).toEqual({ reasoning: "Hm" });
    expect(readChunk(delta({ refusal: "No." }))).toEqual({ text: "No." });
    expect(readChunk(delta({}, { finish_reason: "length" }))).toEqual({ finish: "length" });
  });

  test("tells the tokens, with or without a choice beside them", () => {
    const usage = { prompt_tokens: 3, completion_tokens: 0 };
    expect(readChunk(JSON.stringify({ choices: [], usage }))).toEqual({
      tokens: { prompt: 3, completion: 0 },
    });
    expect(
      readChunk(JSON.stringify({ choices: [{ message: { content: "Hi" }, finish_reason: "stop" }], usage })),
    ).toEqual({ text: "Hi", finish: "stop", tokens: { prompt: 3, completion: 0 } });
  });

  test("may be an error in either form, the end, or nothing that one has to know", () => {
    expect(readChunk('{"error":{"message":"No room"}}')).toEqual({ error: "No room" });
    expect(readChunk('{"error":"No room"}')).toEqual({ error: "No room" });
    expect(readChunk('{"error":{}}')).toEqual({ error: "The answer failed." });
    expect(readChunk("[DONE]")).toEqual({ isLast: true });
    for (const data of ["null", "7", "{}", '{"choices":7}', '{"choices":[null]}', '{"usage":{}}'])
      expect(readChunk(data)).toEqual({});
    expect(readChunk('{"choi').error).toMatch(/no JSON/);
  });
});

describe("a text that grows", () => {
  test("is cut behind line ends only, into parts of the wanted length, and nothing of it is lost", () => {
    const text = `${"a".repeat(30)}\n${"b".repeat(5)}\n${"c".repeat(5)}\n\n${"d".repeat(40)}`;
    for (let room = -3; room < text.length + 3; room++) {
      for (let length = 1; length < 20; length += 3) {
        const parts = cutAtLines(text, room, length);
        expect(parts.join("")).toBe(text);
        for (const part of parts.slice(0, -1)) expect(part).toEndWith("\n");
        for (const part of parts.slice(1, -1)) expect(part.slice(length, -1)).not.toContain("\n");
      }
    }
  });

  test("tells those who watch it, until they leave", () => {
    const flow = createStreamedText();
    const seen: string[] = [];
    const leave = flow.subscribe(() => seen.push(flow.text));
    flow.append("a");
    flow.append("");
    flow.append("b");
    leave();
    flow.append("c");
    expect(seen).toEqual(["a", "ab"]);
    expect(flow.text).toBe("abc");
  });
});
