import { expect, test } from "bun:test";
import { Glob } from "bun";
import english from "../../../src/dashboard/texts/en.json";
import { errorWithCode, errorWords } from "../../../src/dashboard/texts/error-words.ts";
import { ERRORS } from "../../../src/errors.ts";

/** The errors by which requests end in the relay, and their refusals. */
async function codesOf(folder: string): Promise<string[]> {
  const paths = Array.from(new Glob(`${folder}/**/*.ts`).scanSync());
  const sources = await Promise.all(paths.map((path) => Bun.file(path).text()));
  return [...sources.join("\n").matchAll(/AppError\(\s*"(\w+)"/g)].map(([, code = ""]) => code);
}

test("every error by which a request ends at the relay has words, so that no page shows its code alone", async () => {
  const codes = new Set(await codesOf("src/relay"));
  expect(codes.size).toBeGreaterThan(10);
  expect([...codes].filter((code) => errorWords(code) === code)).toEqual([]);
});

test("every error by which a request to a model is refused has words, so that no sum shows its code alone", async () => {
  const isRefusal = (code: string) => code !== "models_read_only";
  const codes = new Set(
    [...(await codesOf("src/http/models")), ...(await codesOf("src/http/uploads"))].filter(isRefusal),
  );
  expect(codes.has("encoding_unsupported")).toBe(true);
  expect([...codes].filter((code) => errorWords(code) === code)).toEqual([]);
});

test("an error that has words exists, and its words stand with its code where programs need it", () => {
  const named = Object.keys(english).flatMap((key) => /^reason\.(?!withCode$)(\w+)$/.exec(key)?.[1] ?? []);
  const known = new Set([...Object.keys(ERRORS), "key_disabled", "key_expired"]);
  expect(named.filter((code) => !known.has(code))).toEqual([]);
  expect(errorWithCode("agent_failed")).toBe("agent failed (agent_failed)");
});

test.each(["constructor", "a_new_error", ""])("an error without words is shown by its code %p", (code) => {
  expect([errorWords(code), errorWithCode(code)]).toEqual([code, code]);
});
