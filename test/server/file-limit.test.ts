import { expect, test } from "bun:test";
import { join } from "node:path";
import { createFileCheck } from "../../src/server/file-limit.ts";

const refuse = (code: string) => () => {
  throw Object.assign(new Error("no"), { code });
};

function scene() {
  const logged: string[] = [];
  let open: () => void = () => {};
  const log = {
    error: (event: string, fields = {}) => void logged.push(`${event} ${JSON.stringify(fields)}`),
  };
  return { logged, check: createFileCheck(log, () => open()), set: (next: () => void) => (open = next) };
}

test("running out of files is logged at once, and then once a minute", () => {
  const { logged, check, set } = scene();
  check();
  expect(logged).toEqual([]);
  set(refuse("EMFILE"));
  for (let second = 0; second < 60; second += 5) check();
  expect(logged).toEqual(['files_exhausted {"cause":"EMFILE"}']);
  check();
  expect(logged).toHaveLength(2);
});

test("running out of files again after there was room is logged again, and other errors are not", () => {
  const { logged, check, set } = scene();
  for (const open of [refuse("ENFILE"), () => {}, refuse("ENFILE"), refuse("EACCES")]) {
    set(open);
    check();
  }
  expect(logged).toHaveLength(2);
});

test.skipIf(process.platform === "win32")(
  "the check finds a process that has all its files open",
  async () => {
    const script = `
    const { createFileCheck } = await import(${JSON.stringify(join(import.meta.dir, "../../src/server/file-limit.ts"))});
    const { openSync } = require("node:fs");
    const check = createFileCheck({ error: (event) => console.log(event) });
    check();
    try { for (;;) openSync("/dev/null", "r"); } catch {}
    check();
  `;
    const child = Bun.spawn(["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, "-e", script]);
    expect(await child.stdout.text()).toBe("files_exhausted\n");
  },
);
