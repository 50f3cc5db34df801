import { describe, expect, test } from "bun:test";
import { estimateByLength, estimateTokens } from "../../src/protocol/token-estimate.ts";

describe("the estimate of a text's tokens", () => {
  test.each([
    ["nothing", "", 0],
    ["a letter", "a", 1],
    ["English", "abcd".repeat(10), 10],
    ["Greek", "αβγδ".repeat(10), 20],
    ["Chinese", "日本語中".repeat(10), 30],
    ["emoji", "😀".repeat(10), 10],
  ])("%s is estimated by a token for every four bytes", (_, text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });

  test("a long text is estimated by a sample, which is close", () => {
    const text = "some English, καὶ ἑλληνικά, 日本語 ".repeat(10_000);
    const exact = Buffer.byteLength(text) / 4;
    expect(Math.abs(estimateTokens(text) / exact - 1)).toBeLessThan(0.15);
  });

  test("a length is estimated in the script of the example", () => {
    expect(estimateByLength(400, "English")).toBe(100);
    expect(estimateByLength(400, "日本語")).toBe(300);
    expect(estimateByLength(400, "")).toBe(100);
  });
});

describe("files in a body", () => {
  const body = (url: string, text = "What is this?") => JSON.stringify({ text, image_url: { url } });
  const base64 = Buffer.alloc(3_000_000, "pixels ").toString("base64");

  test.each([
    ["a data URL", `data:image/png;base64,${base64}`],
    ["plain base64", base64],
  ])("an image as %s counts as a thousand tokens and not by its size", (_, url) => {
    expect(estimateTokens(body(url))).toBeLessThan(1100);
    expect(estimateTokens(body(url))).toBeGreaterThan(1000);
    expect(estimateTokens(body(url, "word ".repeat(40_000)))).toBeGreaterThan(50_000);
  });

  test("an escaped slash does not end a file, and two files are two", () => {
    const escaped = body("/".repeat(100_000)).replaceAll("/", "\\/");
    expect(estimateTokens(escaped)).toBeLessThan(1100);
    expect(estimateTokens(JSON.stringify([base64, base64]))).toBeGreaterThan(2000);
    expect(estimateTokens(JSON.stringify([base64, base64]))).toBeLessThan(2100);
  });

  test.each([
    ["prose", JSON.stringify("one two three ".repeat(20_000)), 70_000],
    ["a script without blanks", JSON.stringify("日本語中".repeat(50_000)), 150_000],
    ["token numbers", `{"input":[${"12345,".repeat(50_000)}1]}`, 75_000],
    ["a million strings", JSON.stringify(Array(1_000_000).fill("")), 750_000],
  ])("%s is not taken for files", (_, text, tokens) => {
    expect(Math.abs(estimateTokens(text) / tokens - 1)).toBeLessThan(0.05);
  });
});
