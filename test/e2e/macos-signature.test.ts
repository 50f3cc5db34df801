import { expect } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { testWith } from "../support/programs.ts";

const ROOT = join(import.meta.dir, "../..");
const LOAD_CODE_SIGNATURE = 0x1d;
const SLOT_CODE_DIRECTORY = 0;

/** Returns the page hashes of a macOS executable, and the code that they should be the hashes of. */
function readSignature(file: Buffer): { code: Buffer; pageBytes: number; hashes: Buffer[] } {
  let at = 32;
  while (file.readUInt32LE(at) !== LOAD_CODE_SIGNATURE) at += file.readUInt32LE(at + 4);
  const offset = file.readUInt32LE(at + 8);
  const signature = file.subarray(offset, offset + file.readUInt32LE(at + 12));
  expect(offset + signature.length).toBe(file.length);
  expect([signature.readUInt32BE(0), signature.readUInt32BE(12)]).toEqual([0xfade0cc0, SLOT_CODE_DIRECTORY]);
  const directory = signature.subarray(signature.readUInt32BE(16));
  expect([directory.readUInt32BE(0), directory.readUInt32BE(32)]).toEqual([0xfade0c02, offset]);
  const [first, count, bytes] = [directory.readUInt32BE(16), directory.readUInt32BE(28), directory[36] ?? 0];
  const hashes = Array.from({ length: count }, (_, index) =>
    directory.subarray(first + index * bytes, first + (index + 1) * bytes),
  );
  return { code: file.subarray(0, offset), pageBytes: 2 ** (directory[39] ?? 0), hashes };
}

for (const target of ["darwin-x64", "darwin-arm64"])
  testWith("npm", `the signature of the ${target} executable has the hash of each of its pages`, async () => {
    const outfile = join(ROOT, `dist/chatgpt-api-server-${target}`);
    try {
      const build = Bun.spawn([process.execPath, ".ci/build.ts", "--target", target], {
        cwd: ROOT,
        stdout: "ignore",
        stderr: "pipe",
      });
      expect([await build.exited, await build.stderr.text()]).toEqual([0, expect.any(String)]);
      const { code, pageBytes, hashes } = readSignature(Buffer.from(await Bun.file(outfile).arrayBuffer()));
      expect(hashes.length).toBe(Math.ceil(code.length / pageBytes));
      const wrong = hashes.filter((hash, page) => {
        const bytes = code.subarray(page * pageBytes, (page + 1) * pageBytes);
        return !hash.equals(new Bun.CryptoHasher("sha256").update(bytes).digest());
      });
      expect(wrong.length).toBe(0);
    } finally {
      await rm(outfile, { force: true });
    }
  });
