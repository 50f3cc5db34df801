import { expect, test } from "bun:test";
import { createStreamedText, cutAtLines } from "../../../../../src/dashboard/pages/try/chat/streamed-text.ts";

test("a text is cut only after line ends, into parts of the wanted length, and nothing is lost", () => {
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

test("subscribers are notified of each addition until they unsubscribe", () => {
  const streamed = createStreamedText();
  const seen: string[] = [];
  const unsubscribe = streamed.subscribe(() => seen.push(streamed.text));
  streamed.append("a");
  streamed.append("");
  streamed.append("b");
  unsubscribe();
  streamed.append("c");
  expect(seen).toEqual(["a", "ab"]);
  expect(streamed.text).toBe("abc");
});
