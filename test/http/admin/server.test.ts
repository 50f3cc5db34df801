import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../../package.json";
import { restore } from "../../../src/cli/backup.ts";
import { SETTING_NAMES } from "../../../src/config/settings.ts";
import { SettingsAnswer } from "../../../src/http/admin/schema.ts";
import { connectSource, takeHead } from "../../support/byte-source.ts";
import { describeWithPostgres, newDatabase } from "../../support/postgres.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { openTestFile, tempFolder } from "../../support/store.ts";
import { until } from "../../support/until.ts";

const KEY = { authorization: ADMIN_KEY };

describe("GET /admin/settings", () => {
  test("GET /admin/settings lists every setting in force and its source, without secrets", async () => {
    const secrets = ["--agent-key", "agent-key-1234", "--metrics-key", "metrics-key-of-sixteen"];
    const { url } = await startTestServer([...secrets, "--queue-wait", "90s"]);
    const text = await (await fetch(`${url}/admin/settings`, { headers: KEY })).text();
    const answer = SettingsAnswer.parse(JSON.parse(text));
    expect(answer.version).toBe(manifest.version);
    expect(Math.abs(Date.parse(answer.started_at) - Date.now())).toBeLessThan(60_000);
    expect(Object.keys(answer.settings)).toEqual([...SETTING_NAMES, "webhook"]);
    expect(answer.settings).toMatchObject({
      queueWaitMs: {
        ...{ value: "90s", from: "--queue-wait", label: "--queue-wait" },
        about: "How long a request waits for a free agent.",
      },
      queueMax: { value: "1000", from: "default" },
      adminKey: { value: "***", from: "second argument", label: "admin-key" },
      agentKey: { value: "***", from: "--agent-key" },
      host: { value: "(every address)", from: "default" },
    });
    for (const secret of [ADMIN_KEY, "agent-key-1234", "metrics-key-of-sixteen"])
      expect(text).not.toContain(secret);
  });
});

describe("GET /admin/backup", () => {
  test("GET /admin/backup returns the backup that the command makes, and the audit notes who took it", async () => {
    const server = await startTestServer();
    const add = await fetch(`${server.url}/admin/users/add`, { method: "POST", headers: KEY });
    const { token } = (await add.json()) as { token: string };
    const response = await fetch(`${server.url}/admin/backup`, { headers: KEY });
    const name = `chatgpt-api-server-${new Date().toISOString().slice(0, 10)}.tar`;
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="${name}"`);
    expect(response.headers.get("content-type")).toBe("application/x-tar");
    const file = join(tempFolder(), "taken.tar");
    await Bun.write(file, response);
    expect(readdirSync(server.data).filter((entry) => entry.startsWith("backup"))).toEqual([]);
    const data = join(tempFolder(), "data");
    const told: string[] = [];
    const io = { env: {}, out: (line: string) => told.push(line), err: (line: string) => told.push(line) };
    expect(await restore([file, "--data", data], io)).toBe(0);
    expect(told.join("")).toStartWith("Restored 1 user ");
    const store = openTestFile(join(data, "server.db"));
    expect(await store.users.findByTokenHash(Bun.SHA256.hash(token, "hex"))).toBeDefined();
    const rows = (await store.audit.list({ limit: 9 })).filter(({ action }) => action === "backup");
    expect(rows).toMatchObject([{ actor: "admin", target: name, address: "127.0.0.1" }]);
  });

  describeWithPostgres("data in PostgreSQL", () => {
    test("a backup is refused with the name of the right tool, and the audit has no row for it", async () => {
      const { url } = await startTestServer(["--database", await newDatabase()]);
      const response = await fetch(`${url}/admin/backup`, { headers: KEY });
      const error = "The data is in a PostgreSQL database. Back it up with pg_dump";
      expect([response.status, await response.json()]).toEqual([409, { error }]);
      expect((await fetch(`${url}/admin/backup`, { method: "HEAD", headers: KEY })).status).toBe(409);
      const audit = await (await fetch(`${url}/admin/audit`, { headers: KEY })).json();
      expect(audit).toMatchObject({ audit: [] });
    });
  });

  test("a HEAD of the backup does not make one", async () => {
    const { url } = await startTestServer();
    const head = await fetch(`${url}/admin/backup`, { method: "HEAD", headers: KEY });
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "application/x-tar"]);
    const { audit } = (await (await fetch(`${url}/admin/audit`, { headers: KEY })).json()) as {
      audit: unknown[];
    };
    expect(audit).toEqual([]);
    expect((await fetch(`${url}/admin/backup`, { headers: KEY })).status).toBe(200);
  });

  test("a backup whose caller hangs up leaves nothing on the disk, and the next one works", async () => {
    const server = await startTestServer();
    const { hostname, port } = new URL(server.url);
    const source = connectSource(server.url);
    source.write(
      `GET /admin/backup HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: ${ADMIN_KEY}\r\n\r\n`,
    );
    await until(() => readdirSync(server.data).some((entry) => entry.startsWith("backup-")));
    const busy = await fetch(`${server.url}/admin/backup`, { headers: KEY });
    expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "10"]);
    source.socket.destroy();
    await until(() => !readdirSync(server.data).some((entry) => entry.startsWith("backup-")));
    const next = await fetch(`${server.url}/admin/backup`, { headers: KEY });
    expect(next.status).toBe(200);
    expect((await next.bytes()).length).toBeGreaterThan(10_000);
    expect(await takeHead(source)).toBeUndefined();
  });

  test("a failed backup tells its reason only to the log", async () => {
    const server = await startTestServer();
    await fetch(`${server.url}/admin/users/add`, { method: "POST", headers: KEY });
    await Bun.write(join(server.data, "seal.key"), "not a key\nat all");
    const response = await fetch(`${server.url}/admin/backup`, { headers: KEY });
    const { audit } = (await (await fetch(`${server.url}/admin/audit`, { headers: KEY })).json()) as {
      audit: { detail: object | null }[];
    };
    expect([response.status, await response.json()]).toEqual([500, { error: "Failed to make a backup" }]);
    expect(audit.map(({ detail }) => detail)).toEqual([{ failed: "backup_failed" }, null, {}]);
    expect(server.logged()).toContain("seal.key");
  });
});
