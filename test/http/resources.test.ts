import { expect, test } from "bun:test";
import { ROUTES } from "../../src/http/resources.ts";
import type { Access } from "../../src/http/route.ts";

/** The name of each kind of access in docs/api.md. */
const KEYS: Record<Access, string> = {
  none: "none",
  caller: "token or admin key",
  signIn: "token or admin key",
  code: "pairing code",
  admin: "admin key",
  adminOrQuery: "admin key",
  adminOrBody: "admin key",
  metrics: "metrics key or admin key",
  agent: "agent key",
  agentInPath: "agent key",
};

/** Returns each route of the table in docs/api.md with its key. */
async function readTable(): Promise<string[]> {
  const page = await Bun.file(new URL("../../docs/api.md", import.meta.url)).text();
  const [, table = ""] = page.split("| route | key | what it does |\n");
  const rows = (table.split("\n\n")[0] ?? "").split("\n");
  return rows.flatMap((row) => {
    const [, routes = "", key = ""] = row.split("|").map((cell) => cell.trim());
    return [...routes.matchAll(/`([A-Z]+ \/[^`]*)`/g)].map(([, name = ""]) => `${name}: ${key}`);
  });
}

test("the table in docs/api.md lists every declared route with its key, and no other", async () => {
  const declared = ROUTES.map(({ method, path, access }) => {
    const shown = path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, "<$1>");
    return `${method} ${shown}: ${KEYS[access]}`;
  });
  expect((await readTable()).sort()).toEqual(declared.sort());
});
