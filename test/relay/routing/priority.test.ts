import { expect, test } from "bun:test";
import { lowerOf } from "../../../src/relay/routing/priority.ts";

test("the lower one of two classes is the one with fewer turns", () => {
  expect(lowerOf("high", "low")).toBe("low");
  expect(lowerOf("normal", "high")).toBe("normal");
  expect(lowerOf("low", "low")).toBe("low");
});
