import { expect, test } from "bun:test";
import { bodyOf } from "../../../src/alerts/webhook/formats.ts";
import { messageOf, testMessage } from "../../../src/alerts/webhook/message.ts";
import { formatOf } from "../../../src/alerts/webhook/settings.ts";
import { AT, failing, ofServer } from "../problems.ts";

const PARTS = { id: "1", at: AT, open: 1, server: { name: "chat", version: "1", url: undefined } };

const messageAbout = (name: string) =>
  messageOf(
    [{ event: "started", problem: failing("id", { details: { agents: [{ id: "id", name }] } }) }],
    PARTS,
  );

test("the host of the address tells the format", () => {
  const hosts = {
    "https://hooks.slack.com/services/T/B/x": "slack",
    "https://discord.com/api/webhooks/1/x": "discord",
    "https://canary.discord.com/api/webhooks/1/x": "discord",
    "https://discordapp.com/api/webhooks/1/x": "discord",
    "https://ntfy.sh/topic": "ntfy",
    "https://ntfy.example.com/topic": "ntfy",
    "https://example.com/hooks.slack.com": "generic",
    "https://hooks.slack.com.example.com/": "generic",
    "https://notdiscord.com/": "generic",
  } as const;
  expect(Object.keys(hosts).map(formatOf)).toEqual(Object.values(hosts));
});

test("the name of an agent can neither mention people nor be a link or markup", () => {
  const name = "<!channel> <https://evil|x> @everyone [a](b) **b** `c` #d";
  const slack = JSON.parse(bodyOf(messageAbout(name), "slack").text).text as string;
  expect(slack).not.toMatch(/<[!@#h]/);
  const discord = JSON.parse(bodyOf(messageAbout(name), "discord").text).content as string;
  expect(discord).toContain("\\<!channel\\>");
  expect(discord).toContain("\\@everyone \\[a\\]\\(b\\) \\*\\*b\\*\\*");
});

test("the name of an agent with an address in it cannot be clicked", () => {
  const name = "https://evil.example/a http://b evil.example llama3.3";
  const slack = JSON.parse(bodyOf(messageAbout(name), "slack").text).text as string;
  expect(slack).toContain("https\u200b://evil\u200b.example/a http\u200b://b evil\u200b.example llama3.3");
  const discord = JSON.parse(bodyOf(messageAbout(name), "discord").text).content as string;
  expect(discord).toContain("https\\://evil.example/a http\\://b");
});

test("a message of many problems has as many as the receiver takes, and counts the others", () => {
  const changes = Array.from({ length: 45 }, (_, index) => ({
    event: "started" as const,
    problem: failing(`${index}`, {
      details: { agents: [{ id: "", name: "ü".repeat(120) }], reason: "y".repeat(300) },
    }),
  }));
  const message = messageOf(changes, PARTS);
  expect([message.lines.length, message.more]).toEqual([20, 25]);
  const slack = JSON.parse(bodyOf(message, "slack").text).text as string;
  const discord = JSON.parse(bodyOf(message, "discord").text).content as string;
  const ntfy = bodyOf(message, "ntfy").text;
  expect(slack.length).toBeLessThanOrEqual(3_000);
  expect(discord.length).toBeLessThanOrEqual(2_000);
  expect(Buffer.byteLength(ntfy)).toBeLessThanOrEqual(4_096);
  for (const text of [slack, discord, ntfy]) {
    const shown = text.split("\n").filter((line) => line.startsWith("Warning: ")).length;
    expect(shown).toBeGreaterThan(0);
    expect(text).toContain(`And ${45 - shown} more.`);
  }
});

test("the title says how many problems there are and how many are solved, and when all is well again", () => {
  const started = { event: "started" as const, problem: failing("a") };
  const ended = { event: "ended" as const, problem: failing("b") };
  const titles = [
    messageOf([started, ended], PARTS),
    messageOf([ended], PARTS),
    messageOf([ended, ended], { ...PARTS, open: 0 }),
    testMessage(PARTS),
  ].map(({ title }) => title);
  expect(titles).toEqual([
    "1 problem, 1 solved: chat",
    "1 problem solved, 1 left: chat",
    "All is well again: chat",
    "Test message of chat",
  ]);
});

test("the end of a problem is reported with its duration", () => {
  const problem = ofServer("disk_low", { since: AT - 200_000 });
  const message = messageOf([{ event: "ended", problem }], { ...PARTS, open: 0 });
  expect(message.lines).toMatchObject([
    {
      event: "ended",
      message: "The disk of the data folder has room again. It lasted 3 min.",
      hint: undefined,
    },
  ]);
  expect(bodyOf(message, "ntfy").headers["tags"]).toBe("white_check_mark");
});

test("a header of ntfy has no other characters than a header may have", () => {
  const message = { ...testMessage(PARTS), title: "Ünïcode\r\nx: y" };
  expect(bodyOf(message, "ntfy").headers["title"]).toBe("?n?code??x: y");
});
