import { expect, test } from "bun:test";
import { createSecret, hashSecret, newToken } from "../../src/auth/secret.ts";

test("a secret matches itself and nothing else", () => {
  const secret = createSecret("s3cret");
  expect(secret.matches("s3cret")).toBe(true);
  for (const other of ["s3cre", "s3cret ", "S3CRET", "", undefined, "s3crets3cret", "\0s3cret"])
    expect(secret.matches(other)).toBe(false);
});

test("an empty secret matches nothing, not even itself", () => {
  expect(createSecret("").matches("")).toBe(false);
  expect(createSecret("").matches(undefined)).toBe(false);
});

test("a token is a random UUID, and its hash is the SHA-256 in lower-case hex", () => {
  const tokens = new Set(Array.from({ length: 1_000 }, newToken));
  expect(tokens.size).toBe(1_000);
  for (const token of tokens)
    expect(token).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  // FIPS 180-2, appendix B.1.
  expect(hashSecret("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
