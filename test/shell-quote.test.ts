import { expect, test } from "bun:test";
import { shellQuote } from "../src/shell-quote.ts";
import { shellWords } from "./support/shell-words.ts";

test("a text is quoted only if a shell would interpret it", () => {
  expect(shellQuote("http://a.example:8080/agents/x_y-z")).toBe("http://a.example:8080/agents/x_y-z");
  expect(shellQuote("http://[::1]:8080")).toBe("'http://[::1]:8080'");
  expect(shellWords(shellQuote("it's; $HOME `x`"))).toEqual(["it's; $HOME `x`"]);
  expect(shellWords(shellQuote(""))).toEqual([""]);
});
