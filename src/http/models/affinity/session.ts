import { field, parseJson, textField } from "../../../json/parse.ts";

/**
 * The headers by which clients name a session or a conversation: Claude Code; Codex, whose threads are parts of a
 * session, in new and old versions; OpenCode; Open WebUI; and OpenRouter's and Fireworks' clients.
 */
export const SESSION_HEADERS = [
  "x-claude-code-session-id",
  "thread-id",
  "session-id",
  "session_id",
  "conversation_id",
  "x-session-id",
  "x-session-affinity",
  "x-opencode-session",
  "x-openwebui-chat-id",
] as const;

/** Longer names are ignored. */
const NAME_LENGTH_MAX = 512;

/** The names by which a request says where it belongs. */
interface SessionNames {
  /** The session or conversation. */
  session: string | undefined;
  /** The response that it continues. */
  previous: string | undefined;
  /** The user of the caller. They may have many sessions. */
  endUser: string | undefined;
}

/** Reads the names of the session. The fields of the body count before the headers. */
export function readSession(json: unknown, headers: Headers): SessionNames {
  const { session, endUser } = readUserId(textField(field(json, "metadata"), "user_id"));
  const conversation = field(json, "conversation");
  return {
    session:
      usable(textField(json, "prompt_cache_key")) ??
      usable(textField(json, "session_id")) ??
      usable(textField(json, "conversation") ?? textField(conversation, "id")) ??
      ofHeaders(headers) ??
      session,
    previous: usable(textField(json, "previous_response_id")),
    endUser,
  };
}

function ofHeaders(headers: Headers): string | undefined {
  for (const name of SESSION_HEADERS) {
    const value = usable(headers.get(name));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Claude Code writes its session as JSON, and earlier versions at the end of a text. */
const SESSION_AT_END = /_session_([\w-]{8,64})$/;

/** Reads Anthropic's `metadata.user_id`. */
function readUserId(userId: string | undefined): Pick<SessionNames, "session" | "endUser"> {
  const text = usable(userId);
  const session =
    text?.startsWith("{") === true
      ? usable(textField(parseJson(text), "session_id"))
      : text?.match(SESSION_AT_END)?.[1];
  return { session, endUser: session === undefined ? text : undefined };
}

const usable = (name: string | null | undefined): string | undefined =>
  name && name.length <= NAME_LENGTH_MAX ? name : undefined;
