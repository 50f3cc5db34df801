import { expect, test } from "bun:test";
import { join } from "node:path";
import { NodeFrame } from "../../src/protocol/node/frames.ts";

test("docs/cluster.md describes every kind of frame, and every field of it", async () => {
  const text = await Bun.file(join(import.meta.dir, "../../docs/cluster.md")).text();
  const wire = text.slice(text.indexOf("\n## The wire\n"));
  const rows = wire.split("\n").filter((line) => line.startsWith("| `"));
  const missing = NodeFrame.options.flatMap(({ shape }) => {
    const { kind, ...fields } = shape;
    const [name] = kind.values;
    const row = rows.find((line) => line.split("|")[1]?.includes(`\`${name}\``));
    if (!row) return [name];
    if (name === "list") return [];
    return Object.keys(fields)
      .filter((field) => !row.includes(`\`${field}\``))
      .map((field) => `${name}.${field}`);
  });
  expect(missing).toEqual([]);
});
