import { expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isFirstStart, noteStarted } from "../../src/server/first-start.ts";
import { startTestServer } from "../support/server.ts";
import { failureOf, newDataFolder, tempFolder } from "../support/store.ts";

test("the first start is over when it is noted, not when there is a database", () => {
  const data = join(tempFolder(), "data");
  expect(isFirstStart(data)).toBe(true);
  writeFileSync(join(data, "server.db"), "");
  expect(isFirstStart(data)).toBe(true);
  noteStarted(data);
  expect(isFirstStart(data)).toBe(false);
  expect(readdirSync(data)).toEqual(["server.db"]);
});

test("a folder with a database, and no mark, has been started on", () => {
  expect(isFirstStart(newDataFolder())).toBe(false);
});

test("a folder that cannot be made is left to the database to report", () => {
  const file = join(tempFolder(), "file");
  writeFileSync(file, "");
  expect(isFirstStart(join(file, "data"))).toBe(true);
});

test("the link of the first start survives starts that fail, and is there once", async () => {
  const data = join(tempFolder(), "data");
  const taken = Bun.serve({ port: 0, reusePort: false, fetch: () => new Response() });
  for (let round = 0; round < 2; round++)
    await failureOf(() => startTestServer([], { data, port: taken.port ?? 0 }));
  await taken.stop(true);
  expect(existsSync(join(data, "server.db"))).toBe(true);
  const first = await startTestServer([], { data });
  expect(first.signInCode).toBeString();
  await first.stop();
  expect((await startTestServer([], { data })).signInCode).toBeUndefined();
});
