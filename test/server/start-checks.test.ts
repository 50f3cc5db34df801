import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ADMIN_KEY, startTestServer } from "../support/server.ts";
import { failureOf, newDataFolder, tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe.skipIf(process.platform === "win32")("the mode of the data folder", () => {
  test.each([0o777, 0o755, 0o750, 0o701])(
    "a data folder of mode %o is closed to other users",
    async (mode) => {
      const data = newDataFolder();
      chmodSync(data, mode);
      const server = await startTestServer([], { data });
      expect(modeOf(data)).toBe("700");
      expect(server.logged()).toContain('"event":"data_folder_closed"');
    },
  );

  test("a folder with other things in it keeps its mode, and the log has a warning", async () => {
    const data = tempFolder();
    mkdirSync(join(data, "photos"));
    chmodSync(data, 0o777);
    const server = await startTestServer([], { data });
    expect(modeOf(data)).toBe("777");
    expect(server.logged()).toContain('"event":"data_folder_open","mode":"0777"');
  });

  test("a data folder of the owner's alone is not mentioned", async () => {
    const server = await startTestServer([], { data: newDataFolder() });
    expect(server.logged()).not.toContain("data_folder");
  });
});

test("a key file is refused if --agent-key would refuse its key", async () => {
  const data = newDataFolder();
  for (const key of ["ab", "a/b/c/d/e/f", "x".repeat(257)]) {
    writeFileSync(join(data, "agent.key"), key);
    const failure = String(await failureOf(() => startTestServer([], { data })));
    expect(failure).toContain(`The key in ${join(data, "agent.key")} is not valid. Give 8 to 256 characters`);
    expect(failure).not.toContain(key);
  }
  writeFileSync(join(data, "agent.key"), "12345678\n");
  expect((await startTestServer([], { data })).agentKey).toBe("12345678");
});

test("a lost seal key is reported at the start, with how many tokens it opens", async () => {
  const first = await startTestServer();
  const addUser = (url: string) =>
    fetch(`${url}/admin/users/add`, { method: "POST", headers: { authorization: ADMIN_KEY }, body: "{}" });
  await addUser(first.url);
  await addUser(first.url);
  expect(first.logged()).not.toContain("tokens_unreadable");
  await first.stop();
  rmSync(join(first.data, "seal.key"));
  const second = await startTestServer([], { data: first.data });
  await until(() => second.logged().includes('"event":"tokens_unreadable","tokens":2,"opened":0'));
  await addUser(second.url);
  await second.stop();
  const third = await startTestServer([], { data: first.data });
  await until(() => third.logged().includes('"event":"tokens_unreadable","tokens":3,"opened":1'));
});
