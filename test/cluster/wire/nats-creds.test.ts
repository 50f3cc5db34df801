import { expect, test } from "bun:test";
import { join } from "node:path";
import { createNatsOperator } from "../../support/nats-operator.ts";
import { describeWithOwnNats, type OwnNats } from "../../support/nats-server.ts";
import { failureOf, tempFolder } from "../../support/store.ts";
import { until } from "../../support/until.ts";
import { openNatsWire, startNatsWire } from "./nats-wire.ts";

const ALL = { allow: ["chatgpt-api.test.>"] };
const NOW_S = Math.floor(Date.now() / 1000);

/** A server whose operator signs users, and a function that makes the credentials file of one. */
async function scene(nats: OwnNats) {
  const operator = await createNatsOperator();
  await nats.startWith(operator.config);
  const write = async (text: string, file = join(tempFolder(), "node.creds")) => {
    await Bun.write(file, text);
    return file;
  };
  return { ...operator, write, server: `nats://127.0.0.1:${nats.port}` };
}

describeWithOwnNats("a credentials file", (nats) => {
  test("nodes log in with the JWT and the key of a user who may use the documented subjects", async () => {
    const { server, creds, write } = await scene(nats);
    const credsFile = await write(await creds({ pub: ALL, sub: ALL }));
    const a = await startNatsWire({ server, credsFile });
    await startNatsWire({ server, credsFile, nodeName: "b" });
    await until(() => a.nodes.size === 1);
  });

  test("a file with the line ends of Windows, or without the last one, is read", async () => {
    const { server, creds, write } = await scene(nats);
    const text = await creds();
    for (const changed of [text.replaceAll("\n", "\r\n"), text.trimEnd()])
      await openNatsWire({ server, credsFile: await write(changed) });
  });

  test("credentials that have expired, or of another operator, are refused in one line", async () => {
    const { server, creds, write } = await scene(nats);
    const stranger = await createNatsOperator();
    for (const text of [await creds({}, NOW_S - 60), await stranger.creds()]) {
      const { message } = (await failureOf(async () =>
        openNatsWire({ server, credsFile: await write(text) }),
      )) as Error;
      expect(message).toBe(
        `NATS at 127.0.0.1:${nats.port} refuses this login. Correct --nats or --nats-creds.`,
      );
    }
  });

  test("a node without credentials is refused in one line", async () => {
    const { server } = await scene(nats);
    const { message } = (await failureOf(() => openNatsWire({ server }))) as Error;
    expect(message).toEndWith("refuses this login. Correct --nats or --nats-creds.");
  });

  test.each([
    ["is missing", undefined, /^Cannot read the credentials file .+ \(--nats-creds\)\.$/],
    [
      "has only the JWT",
      "-----BEGIN NATS USER JWT-----\neyJ0\n------END NATS USER JWT------\n",
      /must have the JWT and the seed/,
    ],
    ["is empty", "", /must have the JWT and the seed/],
  ])("a file that %s is refused at once", async (_, text, expected) => {
    const credsFile = join(tempFolder(), "node.creds");
    if (text !== undefined) await Bun.write(credsFile, text);
    const { message } = (await failureOf(() =>
      openNatsWire({ server: "nats://127.0.0.1:1", credsFile }),
    )) as Error;
    expect(message).toMatch(expected);
  });

  test("a file that is renewed while the node runs counts from its next connection on", async () => {
    const { server, creds, write, config } = await scene(nats);
    const credsFile = await write(await creds({}, Math.floor(Date.now() / 1000) + 6));
    const a = await startNatsWire({ server, credsFile });
    await write("half wri", credsFile);
    await write(await creds(), credsFile);
    // NATS ends the connection when the first credentials expire.
    await until(() => a.isDegraded());
    await until(() => !a.isDegraded());
    expect(config).toContain("operator");
  });
});
