import { expect, test } from "bun:test";
import { describeWithOwnNats } from "../../support/nats-server.ts";
import { failureOf } from "../../support/store.ts";
import { until } from "../../support/until.ts";
import { openNatsWire, startNatsWire } from "./nats-wire.ts";

const ALL = "chatgpt-api.test.>";

/** A configuration with one user, who may publish and subscribe as given. */
const userWho = (publish: string, subscribe: string) =>
  `authorization { users = [{ user: u, password: p, permissions: { publish: ${publish}, subscribe: ${subscribe} } }] }\n`;

describeWithOwnNats("the permissions of a node's user", (nats) => {
  const server = () => `nats://u:p@127.0.0.1:${nats.port}`;

  test.each([
    ["other", `"${ALL}"`, "publish on chatgpt-api.test.beat"],
    [`{ deny: "chatgpt-api.test.node.>" }`, `"${ALL}"`, "publish on chatgpt-api.test.node."],
    [`"${ALL}"`, "other", "subscribe to chatgpt-api.test.beat"],
    [`"${ALL}"`, `{ deny: "chatgpt-api.test.node.*" }`, "subscribe to chatgpt-api.test.node."],
    [`"${ALL}"`, `{ deny: "chatgpt-api.test.unanswered.*.*" }`, "subscribe to chatgpt-api.test.unanswered."],
  ])(
    "a node that may publish %s and subscribe %s does not start, and says what to allow",
    async (publish, subscribe, what) => {
      await nats.startWith(userWho(publish, subscribe));
      const { message } = (await failureOf(() => openNatsWire({ server: server() }))) as Error;
      expect(message).toStartWith(`NATS forbids this node to ${what}`);
      expect(message).toEndWith(`Allow its user to publish and to subscribe on ${ALL}.`);
    },
  );

  test("nodes with the documented permission find each other", async () => {
    await nats.startWith(userWho(`"${ALL}"`, `"${ALL}"`));
    const lines: string[] = [];
    const [a, b] = [
      await startNatsWire({ server: server(), write: (line) => void lines.push(line) }),
      await startNatsWire({ server: server(), nodeName: "b" }),
    ];
    await until(() => a.nodes.size === 1 && b.nodes.size === 1);
    expect(lines.filter((line) => /"(nats_error|message_refused)"/.test(line))).toEqual([]);
  });

  test("a node whose permission is taken away says so, and finds the others when it has it again", async () => {
    const whole = userWho(`"${ALL}"`, `"${ALL}"`);
    await nats.startWith(whole);
    const [lines, said]: [string[], string[]] = [[], []];
    const log = {
      write: (line: string) => void lines.push(line),
      say: (words: string) => void said.push(words),
    };
    const a = await startNatsWire({ server: server(), ...log });
    await startNatsWire({ server: server(), nodeName: "b" });
    await until(() => a.nodes.size === 1);
    await nats.reload(userWho(`"${ALL}"`, "other"));
    await until(() => lines.some((line) => line.includes("nats_error")));
    expect(lines.find((line) => line.includes("nats_error"))).toMatch(
      /"operation":"subscription","subject":"chatgpt-api\.test\./,
    );
    expect(said.join()).toContain("NATS forbids this node to subscribe to chatgpt-api.test.");
    await until(() => a.isDegraded());
    await nats.reload(whole);
    await until(() => !a.isDegraded() && a.nodes.size === 1);
  });
});
