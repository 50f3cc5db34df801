import type { Severity } from "../../protocol/node/problems.ts";
import type { Message, MessageLine } from "./message.ts";
import type { WebhookFormat } from "./settings.ts";

/** A message as the receiver takes it. */
export interface Body {
  headers: Record<string, string>;
  text: string;
}

/** Returns the body of a message. What agents and users named cannot become a mention, a link or a header. */
export function bodyOf(message: Message, format: WebhookFormat): Body {
  return BODIES[format](message);
}

const json = (value: unknown): Body => ({
  headers: { "content-type": "application/json" },
  text: JSON.stringify(value),
});

const BODIES: Record<WebhookFormat, (message: Message) => Body> = {
  generic: ({ id, kind, at, title, severity, lines, more, open, server }) =>
    json({
      ...{ id, type: kind, at: timeOf(at), title, severity: severity ?? null },
      server: { name: server.name, version: server.version, url: server.url ?? null },
      ...{ open, more },
      problems: lines.map(({ since, hint, details, ...line }) => ({
        ...line,
        ...{ since: timeOf(since), hint: hint ?? null, details },
      })),
    }),
  // https://docs.slack.dev/messaging/formatting-message-text#escaping
  slack: (message) => json({ text: textOf(message, SLACK_LENGTH_MAX, escapeSlack, (text) => `*${text}*`) }),
  // https://docs.discord.com/developers/resources/webhook#execute-webhook
  discord: (message) =>
    json({
      content: textOf(message, DISCORD_LENGTH_MAX, escapeDiscord, (text) => `**${text}**`),
      allowed_mentions: { parse: [] },
      flags: SUPPRESS_EMBEDS,
    }),
  // https://docs.ntfy.sh/publish/
  ntfy: (message) => ({
    headers: {
      "content-type": "text/plain; charset=utf-8",
      title: ascii(message.title),
      priority: NTFY_PRIORITIES[message.severity ?? "info"],
      tags: NTFY_TAGS[message.severity ?? "ended"],
      ...(message.server.url !== undefined && { click: ascii(message.server.url) }),
    },
    text: textOf(
      { ...message, title: "" },
      NTFY_LENGTH_MAX,
      (text) => text,
      (text) => text,
    ),
  }),
};

const timeOf = (at: number): string => new Date(at).toISOString();

const SLACK_LENGTH_MAX = 3_000;
const DISCORD_LENGTH_MAX = 1_900;
/** A longer message becomes an attachment. A character may take three bytes. */
const NTFY_LENGTH_MAX = 1_300;
const SUPPRESS_EMBEDS = 4;
const NTFY_PRIORITIES: Record<Severity, string> = { critical: "4", warning: "3", info: "2" };
const NTFY_TAGS: Record<Severity | "ended", string> = {
  ...{ critical: "rotating_light", warning: "warning", info: "information_source" },
  ended: "white_check_mark",
};

/** Slack makes a link of an address, also of one without a scheme, such as the name of a file. */
const escapeSlack = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[*_~`]|:(?=\/\/)|\.(?=\p{L})/gu, "\u200b$&");

const escapeDiscord = (text: string): string => text.replace(/[\\*_~`|>[\]()#@<-]|:(?=\/\/)/g, "\\$&");

/** A header takes no other characters. */
const ascii = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");

/** Returns the message as lines of text that are not longer together than the receiver takes. */
function textOf(
  { kind, title, lines, more, open, server }: Message,
  lengthMax: number,
  escaped: (text: string) => string,
  bold: (text: string) => string,
): string {
  const parts = title === "" ? [] : [bold(escaped(title))];
  let left = more;
  let length = TAIL_LENGTH_MAX + (parts[0]?.length ?? 0);
  for (const line of lines) {
    const text = escaped(lineText(line));
    length += text.length + 1;
    if (length > lengthMax) left++;
    else parts.push(text);
  }
  if (left > 0) parts.push(`And ${left} more.`);
  if (kind === "test") parts.push("Messages about problems arrive here.");
  else if (open > lines.length) parts.push(`${open} problems in all.`);
  if (server.url !== undefined) parts.push(server.url);
  return parts.join("\n");
}

/** The lines at the end have room in any case: a public address is no longer. */
const TAIL_LENGTH_MAX = 400;

const WORDS: Record<Severity, string> = { critical: "CRITICAL", warning: "Warning", info: "Note" };

function lineText({ event, severity, message, hint }: MessageLine): string {
  if (event === "ended") return `Solved: ${message}`;
  return `${WORDS[severity]}: ${message}${hint === undefined ? "" : ` ${hint}`}`;
}
