import { ADMIN_KEY } from "../server.ts";
import { HANG_MS } from "../until.ts";
import { TOOLS } from "./answers.ts";
import type { FuzzCase, Surface } from "./case.ts";

/** The response that a caller got. */
export interface Reply {
  status: number;
  type: string;
  text: string;
}

const PATHS: Record<Surface, string> = {
  chat: "v1/chat/completions",
  responses: "v1/responses",
  messages: "v1/messages",
  ask: "api/ask",
};

const PARAMETERS = { type: "object" };

function bodyOf({ surface, stream, usage }: FuzzCase, number: number): object {
  const content = `case ${number}`;
  const messages = [{ role: "user", content }];
  const functions = TOOLS.map((name) => ({ type: "function", function: { name, parameters: PARAMETERS } }));
  switch (surface) {
    case "chat":
      return {
        ...{ model: "m", stream, messages, tools: functions },
        ...(stream && usage && { stream_options: { include_usage: true } }),
      };
    case "responses": {
      const tools = TOOLS.map((name) => ({ type: "function", name, parameters: PARAMETERS }));
      return { model: "m", stream, input: content, tools };
    }
    case "messages": {
      const tools = TOOLS.map((name) => ({ name, input_schema: PARAMETERS }));
      return { model: "m", max_tokens: 99, stream, messages, tools, thinking: { type: "adaptive" } };
    }
    case "ask":
      return { model: "m", stream, content };
  }
}

/** Asks, and returns the whole reply; undefined if it did not come in time. */
export async function askCase(url: string, given: FuzzCase, number: number): Promise<Reply | undefined> {
  const limit = AbortSignal.timeout(HANG_MS);
  try {
    const response = await fetch(`${url}/${PATHS[given.surface]}`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify(bodyOf(given, number)),
      signal: limit,
    });
    const type = response.headers.get("content-type") ?? "";
    return { status: response.status, type, text: await response.text() };
  } catch (error) {
    if (limit.aborted) return undefined;
    throw error;
  }
}
