import { translateMessages } from "../../../src/http/models/messages/translate.ts";
import { translateResponses } from "../../../src/http/models/responses/translate.ts";
import type { Translation } from "../../../src/http/models/translation.ts";
import { field, parseJson, textField } from "../../../src/json/parse.ts";
import { countingContext } from "../../support/translated-responses.ts";

export interface AnsweredCall {
  id: string;
  name: string;
  input: unknown;
}

/** The answer as a caller sees it, in the same form for each API. */
export interface Seen {
  /** `complete`, `cut` or `failed`, with the message of a failure. */
  end: string;
  text: string;
  reasoning: string;
  calls: AnsweredCall[];
  inputTokens: number;
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const join = (values: unknown, name: string) =>
  list(values)
    .map((value) => textField(value, name) ?? "")
    .join("");

/** Returns what a caller of `/v1/messages` sees. */
export function seenMessage(message: unknown): Seen {
  const blocks = list(field(message, "content"));
  const reason = textField(message, "stop_reason") ?? "";
  return {
    end: ["end_turn", "tool_use", "stop_sequence"].includes(reason) ? "complete" : "cut",
    text: join(blocks, "text"),
    reasoning: join(blocks, "thinking"),
    calls: blocks
      .filter((block) => field(block, "type") === "tool_use")
      .map((block) => ({
        id: textField(block, "id") ?? "",
        name: textField(block, "name") ?? "",
        input: field(block, "input"),
      })),
    inputTokens: Number(field(field(message, "usage"), "input_tokens")),
  };
}

/** Returns what a caller of `/v1/responses` sees. */
export function seenResponse(response: unknown): Seen {
  const items = list(field(response, "output"));
  const status = textField(response, "status");
  const failure = textField(field(response, "error"), "message");
  return {
    end: status === "failed" ? `failed: ${failure}` : status === "completed" ? "complete" : "cut",
    text: items.map((item) => join(field(item, "content"), "text")).join(""),
    reasoning: items.map((item) => join(field(item, "summary"), "text")).join(""),
    calls: items
      .filter((item) => field(item, "type") === "function_call")
      .map((item) => ({
        id: textField(item, "call_id") ?? "",
        name: textField(item, "name") ?? "",
        input: parseJson(textField(item, "arguments") ?? ""),
      })),
    inputTokens: Number(field(field(response, "usage"), "input_tokens")),
  };
}

/** Builds the message from its events, as Anthropic's packages do. */
export function builtMessage(events: readonly unknown[]): unknown {
  const blocks: Record<string, unknown>[] = [];
  let rest = {};
  for (const event of events) {
    const delta = field(event, "delta");
    const block = blocks.at(-1);
    switch (field(event, "type")) {
      case "content_block_start":
        blocks.push({ ...(field(event, "content_block") as object), json: "" });
        break;
      case "content_block_delta":
        if (block) {
          block["json"] += textField(delta, "partial_json") ?? "";
          block["text"] = `${block["text"] ?? ""}${textField(delta, "text") ?? ""}`;
          block["thinking"] = `${block["thinking"] ?? ""}${textField(delta, "thinking") ?? ""}`;
        }
        break;
      case "message_delta":
        rest = { ...(delta as object), usage: field(event, "usage") };
        break;
      default:
    }
  }
  const content = blocks.map((block) =>
    block["type"] === "tool_use" ? { ...block, input: parseJson(String(block["json"])) } : block,
  );
  return { content, ...rest };
}

function eventsOf(translation: Translation, data: readonly string[]): unknown[] {
  const stream = translation.stream();
  const events = [...data.flatMap((one) => stream.push({ data: one })), ...stream.end()];
  return events.map((event) => JSON.parse(event.data));
}

const TOOLS = ["weather", "news", "now"];

const messages = () =>
  translateMessages(
    {
      model: "m",
      max_tokens: 9,
      thinking: { type: "adaptive" },
      messages: [{ role: "user", content: "hi" }],
      tools: TOOLS.map((name) => ({ name, input_schema: { type: "object" } })),
    },
    countingContext(),
  );
const responses = () =>
  translateResponses(
    { model: "m", input: "hi", tools: TOOLS.map((name) => ({ type: "function", name })) },
    countingContext(),
  );

/** Returns what the callers of both translated APIs see of a streamed answer. */
export function streamedTo(data: readonly string[]): { messages: Seen; responses: Seen } {
  const forMessages = eventsOf(messages(), data);
  const failure = forMessages.find((event) => field(event, "type") === "error");
  const message = seenMessage(builtMessage(forMessages));
  if (failure) message.end = `failed: ${textField(field(failure, "error"), "message")}`;
  const last = eventsOf(responses(), data).at(-1);
  const response = seenResponse(field(last, "response"));
  if (textField(last, "type") === "error") response.end = `failed: ${textField(last, "message")}`;
  return { messages: message, responses: response };
}

/** Returns what the callers of both translated APIs see of a whole answer. Throws if it has failed. */
export function wholeTo(body: string): { messages: Seen; responses: Seen } {
  return {
    messages: seenMessage(JSON.parse(messages().answer(body))),
    responses: seenResponse(JSON.parse(responses().answer(body))),
  };
}
