import { expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { readArchive, writeArchive } from "../../src/backup/archive.ts";
import { CommandError } from "../../src/errors.ts";
import { describeWith } from "../support/programs.ts";
import { failureOf, tempFolder } from "../support/store.ts";

const AT = new Date("2026-11-23T08:10:14.924Z");

async function pack(files: Record<string, Uint8Array>): Promise<string> {
  const folder = tempFolder();
  const path = join(folder, "archive.tar");
  const file = openSync(path, "wx", 0o600);
  const entries = Object.entries(files).map(([name, content], index) => {
    const source = join(folder, `source-${index}`);
    writeFileSync(source, content);
    // Every other entry comes from a file.
    return { name, bytes: content.length, content: index % 2 === 0 ? content : { path: source } };
  });
  await writeArchive(file, entries, AT);
  closeSync(file);
  return path;
}

async function unpack(path: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  await readArchive(path, (name) => {
    files[name] = Buffer.alloc(0);
    return (piece) => {
      files[name] = Buffer.concat([files[name] ?? Buffer.alloc(0), piece]);
    };
  });
  return files;
}

/** Sizes around those of a block and of the pieces that are read. */
const FILES = Object.fromEntries(
  [0, 1, 511, 512, 513, 1024 ** 2 - 1, 1024 ** 2, 1024 ** 2 + 1, 3 * 1024 ** 2].map((bytes) => [
    `file-${bytes}`,
    Buffer.alloc(bytes, crypto.getRandomValues(new Uint8Array(997))),
  ]),
);

test("an archive is read back byte for byte, whatever the sizes of its files", async () => {
  expect(await unpack(await pack(FILES))).toEqual(FILES);
});

describeWith("tar", "with the system's tar", () => {
  test("the system's tar unpacks an archive, with files for their owner only", async () => {
    const path = await pack(FILES);
    const folder = tempFolder();
    const run = Bun.spawnSync(["tar", "-xvpf", path, "-C", folder]);
    expect([run.exitCode, run.stderr.toString()]).toEqual([0, ""]);
    for (const [name, content] of Object.entries(FILES)) {
      expect(readFileSync(join(folder, name)).equals(content)).toBe(true);
      const { mode, mtimeMs } = statSync(join(folder, name));
      expect([mode & 0o777, Math.floor(mtimeMs / 1000)]).toEqual([0o600, Math.floor(AT.getTime() / 1000)]);
    }
  });

  for (const format of ["ustar", "gnu", "pax"]) {
    test(`an archive that the system's tar repacked as ${format} is read`, async () => {
      const folder = tempFolder();
      for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
      const path = join(tempFolder(), "repacked.tar");
      const run = Bun.spawnSync(["tar", `--format=${format}`, "-cf", path, "-C", folder, "."]);
      expect(run.exitCode).toBe(0);
      expect(await unpack(path)).toEqual(FILES);
    });
  }
});

test("an archive of an early build, whose headers lack the mark of their format, is read", async () => {
  const path = await pack({ a: Buffer.from("content") });
  const bytes = readFileSync(path);
  bytes.fill(0, 257, 265).write("ustar\0" + "00", 157, "latin1");
  const sum = bytes
    .subarray(0, 512)
    .reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  writeFileSync(path, bytes);
  expect(await unpack(path)).toEqual({ a: Buffer.from("content") });
});

test("packing fails if a file becomes shorter or longer meanwhile", async () => {
  const folder = tempFolder();
  const source = join(folder, "source");
  writeFileSync(source, "ten bytes!");
  for (const bytes of [9, 11]) {
    const file = openSync(join(folder, `${bytes}.tar`), "wx");
    const error = await failureOf(() =>
      writeArchive(file, [{ name: "a", bytes, content: { path: source } }], AT),
    );
    expect(String(error)).toContain("changed while");
    closeSync(file);
  }
});

test.each([5, 512, 1300])(
  "reading ignores %d bytes after the end of an archive, as tar does",
  async (bytes) => {
    const path = await pack({ a: Buffer.alloc(1000, 7) });
    appendFileSync(path, Buffer.alloc(bytes, "junk"));
    expect(await unpack(path)).toEqual({ a: Buffer.alloc(1000, 7) });
  },
);

test("reading refuses an archive that is cut short, or whose header was altered", async () => {
  const content = Buffer.alloc(1000, 7);
  const whole = statSync(await pack({ a: content, b: content })).size;
  for (const bytes of [0, 1, 511, 512, 600, 1535, 1536, 2000, whole - 1024, whole - 600]) {
    const path = await pack({ a: content, b: content });
    truncateSync(path, bytes);
    const error = await failureOf(() => unpack(path));
    expect([bytes, error instanceof CommandError]).toEqual([bytes, true]);
  }
  for (const at of [0, 124, 130, 156]) {
    const path = await pack({ a: content });
    const bytes = readFileSync(path);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect(await failureOf(() => unpack(path))).toBeInstanceOf(CommandError);
  }
});
