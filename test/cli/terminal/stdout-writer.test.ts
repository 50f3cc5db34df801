import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStdoutWriter } from "../../../src/cli/terminal/stdout-writer.ts";
import { HANG_MS } from "../../support/until.ts";

const WRITER = join(import.meta.dir, "../../../src/cli/terminal/stdout-writer.ts");

/** Returns a program that writes lines to its standard output, then reports on standard error. */
function command(lines: number, waitingLengthMax: number, lineLength = 1000): string[] {
  const script = `
    const { createStdoutWriter } = await import(${JSON.stringify(WRITER)});
    const writer = createStdoutWriter(Bun.stdout, {
      waitingLengthMax: ${waitingLengthMax},
      onDropped: (lines) => writer.write("dropped " + lines + "\\n"),
    });
    for (let line = 0; line < ${lines}; line++) {
      writer.write(String(line).padStart(${lineLength - 1}) + "\\n");
      if (line % 100 === 0) await Bun.sleep(0);
    }
    await Bun.write(Bun.stderr, "written");
    await writer.flush();
    process.exit(3);
  `;
  return [process.execPath, "-e", script];
}

function spawnWriter(lines: number, waitingLengthMax: number) {
  return Bun.spawn(command(lines, waitingLengthMax), {
    stdout: "pipe",
    stderr: "pipe",
    timeout: HANG_MS,
    killSignal: "SIGKILL",
  });
}

test("texts are written whole and in order, also after a flush", async () => {
  const folder = await mkdtemp(join(tmpdir(), "chatgpt-api-server-test-"));
  try {
    const file = Bun.file(join(folder, "out"));
    const writer = createStdoutWriter(file);
    await writer.flush();
    writer.write("one\n");
    writer.write("two ✓\n");
    await writer.flush();
    expect(await file.text()).toBe("one\ntwo ✓\n");
    writer.write("three\n");
    await writer.flush();
    expect(await file.text()).toBe("one\ntwo ✓\nthree\n");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("more than a pipe holds is written before the program ends", async () => {
  const child = spawnWriter(2000, 4_000_000);
  await child.stderr.getReader().read();
  expect((await child.stdout.text()).length).toBe(2_000_000);
  expect(await child.exited).toBe(3);
});

test("texts that do not fit are dropped and counted, and the rest arrives in order", async () => {
  const child = spawnWriter(5000, 50_000);
  const lines = (await child.stdout.text()).trimEnd().split("\n");
  expect(await child.exited).toBe(3);
  const kept = lines.filter((line) => !line.startsWith("dropped ")).map(Number);
  const notes = lines.flatMap((line) => /^dropped (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  const dropped = notes.reduce((sum, lines) => sum + lines, 0);
  expect(dropped).toBeGreaterThanOrEqual(2450);
  expect(kept.length + dropped).toBe(5000);
  expect(kept).toEqual(kept.toSorted((a, b) => a - b));
});

test.each([10, 1000, 200_000])(
  "a reader that goes away is not a failure, with texts of %d characters",
  async (length) => {
    const args = ["sh", "-c", '{ "$@"; echo " $?" >&2; } | true', "sh", ...command(1000, 4_000_000, length)];
    const child = Bun.spawn(args, { stderr: "pipe", timeout: HANG_MS, killSignal: "SIGKILL" });
    expect(await child.stderr.text()).toBe("written 3\n");
  },
);
