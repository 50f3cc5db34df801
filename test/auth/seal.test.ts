import { describe, expect, test } from "bun:test";
import { createDecipheriv, hkdfSync } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSeal, loadSeal } from "../../src/auth/seal.ts";
import { CommandError } from "../../src/errors.ts";
import { failureOf, tempFolder } from "../support/store.ts";

const KEY = "a key of enough characters to be one";

describe("sealed text", () => {
  const { seal, open } = createSeal(KEY);

  test("sealed text opens with the same key and context, whatever the text", () => {
    for (const text of ["", "a token", "ünïcödé 🙂", "x".repeat(100_000)])
      expect(open(seal(text, "user"), "user")).toBe(text);
    expect(createSeal(KEY).open(seal("text", "user"), "user")).toBe("text");
  });

  test("sealed text does not open with another key or for another user", () => {
    expect(createSeal(`${KEY}!`).open(seal("text", "user"), "user")).toBeUndefined();
    expect(open(seal("text", "user"), "another")).toBeUndefined();
    expect(open(seal("text", "user"), "")).toBeUndefined();
  });

  test("sealed text does not open when any bit is changed, or a byte is missing or added", () => {
    const sealed = seal("text", "user");
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed, (byte, index) =>
        index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
      );
      expect(open(changed, "user")).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++)
      expect(open(sealed.subarray(0, length), "user")).toBeUndefined();
    expect(open(Buffer.concat([sealed, Buffer.of(0)]), "user")).toBeUndefined();
  });

  test("sealed text is different each time, so equal tokens cannot be recognized", () => {
    const sealed = new Set(
      Array.from({ length: 100 }, () => Buffer.from(seal("text", "user")).toString("hex")),
    );
    expect(sealed.size).toBe(100);
  });

  test("sealed text has the documented format, so that other versions can open it", () => {
    const sealed = seal("text", "user");
    const key = Buffer.from(hkdfSync("sha256", KEY, "", "chatgpt-api-server seal 1", 32));
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(1, 13));
    decipher.setAAD(Buffer.from("user"));
    decipher.setAuthTag(sealed.subarray(-16));
    expect(sealed[0]).toBe(1);
    expect(decipher.update(sealed.subarray(13, -16), undefined, "utf8") + decipher.final("utf8")).toBe(
      "text",
    );
  });
});

describe("the seal of a server", () => {
  test("the seal is the same at every start, by the key file it creates", () => {
    const path = join(tempFolder(), "seal.key");
    const sealed = loadSeal({ path }).seal("text", "user");
    expect(loadSeal({ path }).open(sealed, "user")).toBe("text");
  });

  test("the seal needs no file when the key is given", () => {
    const path = join(tempFolder(), "seal.key");
    const sealed = loadSeal({ sealKey: KEY, path }).seal("text", "user");
    expect(createSeal(KEY).open(sealed, "user")).toBe("text");
    expect(existsSync(path)).toBe(false);
  });

  test("a seal key that is too short is refused, without repeating it", async () => {
    const path = join(tempFolder(), "seal.key");
    writeFileSync(path, "tooshort");
    const [given, inFile] = [
      await failureOf(() => loadSeal({ sealKey: "tooshort", path })),
      await failureOf(() => loadSeal({ path })),
    ] as CommandError[];
    for (const [error, exitCode] of [
      [given, 2],
      [inFile, 1],
    ] as const) {
      expect(error).toBeInstanceOf(CommandError);
      expect(error?.exitCode).toBe(exitCode);
      expect(error?.message).toContain("too short");
      expect(error?.message).not.toContain("tooshort");
    }
  });
});
