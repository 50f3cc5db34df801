import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readOrCreateKey } from "../../src/auth/key-file.ts";
import { CommandError } from "../../src/errors.ts";
import { failureOf, tempFolder } from "../support/store.ts";

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const windows = process.platform === "win32";

test("a missing key is created with 256 random bits, kept, and different each time", () => {
  const folder = tempFolder();
  const [one, two] = [join(folder, "one.key"), join(folder, "two.key")];
  const key = readOrCreateKey(one);
  expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(readOrCreateKey(one)).toBe(key);
  expect(readFileSync(one, "utf8")).toBe(`${key}\n`);
  expect(readOrCreateKey(two)).not.toBe(key);
  expect(readdirSync(folder).sort()).toEqual(["one.key", "two.key"]);
});

test("the key in a file is read without surrounding white space", () => {
  const path = join(tempFolder(), "a.key");
  writeFileSync(path, "  my-own-key\r\n\n");
  expect(readOrCreateKey(path)).toBe("my-own-key");
});

test.skipIf(windows)("a key file and its folder are created for the owner only, whatever the umask", () => {
  const folder = join(tempFolder(), "data");
  const umask = process.umask(0);
  readOrCreateKey(join(folder, "a.key"));
  process.umask(umask);
  expect(mode(folder)).toBe("700");
  expect(mode(join(folder, "a.key"))).toBe("600");
});

test.skipIf(windows)("a key file that others may read is closed to them, and a stricter mode is kept", () => {
  const path = join(tempFolder(), "a.key");
  writeFileSync(path, "my-own-key");
  for (const [before, after] of [
    [0o644, "600"],
    [0o620, "600"],
    [0o400, "400"],
  ] as const) {
    chmodSync(path, before);
    expect(readOrCreateKey(path)).toBe("my-own-key");
    expect(mode(path)).toBe(after);
  }
});

test("processes that start at the same time get the same key", async () => {
  const folder = tempFolder();
  for (let round = 0; round < 3; round++) {
    const path = join(folder, `${round}.key`);
    const at = String(Date.now() + 300);
    const keys = await Promise.all(
      Array.from({ length: 4 }, () => {
        const child = Bun.spawn([process.execPath, join(import.meta.dir, "make-key.ts"), path, at]);
        return new Response(child.stdout).text();
      }),
    );
    expect(new Set(keys)).toEqual(new Set([readFileSync(path, "utf8").trim()]));
  }
  expect(readdirSync(folder)).toHaveLength(3);
});

describe("a refused key file", () => {
  const refusalOf = async (path: string) => {
    const error = await failureOf(() => readOrCreateKey(path));
    expect(error).toBeInstanceOf(CommandError);
    const { message, exitCode } = error as CommandError;
    expect(exitCode).toBe(1);
    expect(message).toContain(path);
    expect(message).not.toContain("\n");
    return message;
  };

  test("an empty key file is refused", async () => {
    const path = join(tempFolder(), "a.key");
    for (const content of ["", " \n"]) {
      writeFileSync(path, content);
      expect(await refusalOf(path)).toContain("is empty");
    }
  });

  test("a key file with more than one word, or with bytes that are not text, is refused without its content", async () => {
    const path = join(tempFolder(), "a.key");
    for (const content of ["two words", "hidden\nwords", Buffer.from([0xff, 0x00, 0x80]), "schlüssel"]) {
      writeFileSync(path, content);
      const refusal = await refusalOf(path);
      expect(refusal).toContain("must contain one line");
      expect(refusal).not.toMatch(/words|hidden|schl/);
    }
  });

  test("a folder in place of the key file is refused", async () => {
    const path = join(tempFolder(), "a.key");
    mkdirSync(path);
    expect(await refusalOf(path)).toContain("It is a folder.");
  });

  test.skipIf(windows)(
    "a symbolic link in place of the key file is refused, and its target is left alone",
    async () => {
      const folder = tempFolder();
      const [target, path] = [join(folder, "target"), join(folder, "a.key")];
      writeFileSync(target, "the-key-of-another-program", { mode: 0o644 });
      chmodSync(target, 0o644);
      symlinkSync(target, path);
      const refusal = await refusalOf(path);
      expect(refusal).toContain("It is a symbolic link");
      expect(refusal).not.toContain("another-program");
      expect(mode(target)).toBe("644");
    },
  );

  test.skipIf(windows)(
    "a pipe in place of the key file is refused, and nobody waits for a writer",
    async () => {
      const path = join(tempFolder(), "a.key");
      expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
      // A process of its own, because one that waits for the pipe cannot be stopped from within.
      const code = `const { readOrCreateKey } = await import(${JSON.stringify(join(import.meta.dir, "../../src/auth/key-file.ts"))});
      try { readOrCreateKey(process.argv[1]); } catch (error) { console.log(error.message); }`;
      const child = Bun.spawnSync([process.execPath, "-e", code, path], {
        timeout: 20_000,
        killSignal: "SIGKILL",
      });
      expect(child.stdout.toString()).toContain("It is not a regular file.");
    },
  );

  test("a key that the rule of its setting refuses is refused without the key", async () => {
    const path = join(tempFolder(), "a.key");
    writeFileSync(path, "short");
    const rule = z.string().min(8, "Give 8 characters or more.");
    const error = await failureOf(() => readOrCreateKey(path, rule));
    expect((error as CommandError).message).toBe(
      `The key in ${path} is not valid. Give 8 characters or more.`,
    );
    writeFileSync(path, "long-enough");
    expect(readOrCreateKey(path, rule)).toBe("long-enough");
  });

  test("a key file in a folder that cannot be created is refused", async () => {
    const path = join(tempFolder(), "data", "a.key");
    writeFileSync(join(path, ".."), "");
    await refusalOf(path);
  });
});
