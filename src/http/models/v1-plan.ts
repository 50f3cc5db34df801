import { type Principal, userIdOf } from "../../principal.ts";
import type { V1Request } from "../../protocol/agent-v1.ts";
import type { Asker } from "../../relay/conversation.ts";
import type { Relay } from "../../relay/relay.ts";
import type { AskResult } from "../../relay/types.ts";
import { chunksOf, completionOf, promptOf, readPlainChat } from "./v1-chat.ts";
import type { Threads } from "./v1-threads.ts";

/** How an agent of the reference's protocol is asked for a chat completion. */
export interface V1Plan {
  request: V1Request;
  /** The agent that has the words so far, where one has. */
  pin: string | undefined;
  completion(result: AskResult): string;
  chunks(result: AskResult): string[];
}

interface ReferenceDeps {
  relay: Relay;
  threads: Threads;
  newId: () => string;
  now: () => number;
}

/**
 * A chat whose earlier messages are those of a known conversation goes on there; any other is told in one
 * prompt. Throws an `AppError` when there is more in it than words.
 */
export function v1Plan(deps: ReferenceDeps, asker: Asker, chat: unknown, model: string): V1Plan {
  const plain = readPlainChat(chat);
  const owner = asker.principal;
  const known = plain.history.length > 0 ? deps.threads.find(keyOf(owner, plain.history)) : undefined;
  const thread = known && deps.relay.isConnected(known.agent) ? known : undefined;
  const answered = ({ answer, agent }: AskResult) => {
    if (answer.kind !== "v1") throw new Error("not an answer of the reference's protocol");
    const { content, conversation_id, response_id } = answer.answer;
    if (conversation_id !== "") {
      const said = { role: "user", text: plain.question };
      const key = keyOf(owner, [...plain.history, said, { role: "assistant", text: content }]);
      deps.threads.remember(key, { conversation: conversation_id, parent: response_id, agent });
    }
    return [content, model, deps.newId(), Math.floor(deps.now() / 1000)] as const;
  };
  return {
    pin: thread?.agent,
    request: {
      message_id: deps.newId(),
      conversation_id: thread?.conversation ?? "",
      parent_id: thread?.parent ?? deps.newId(),
      content: thread ? plain.question : promptOf(plain),
    },
    completion: (result) => completionOf(...answered(result)),
    chunks: (result) => chunksOf(...answered(result)),
  };
}

/** Of all messages, in a form in which no two different lists are alike. */
function keyOf(owner: Principal, messages: readonly { role: string; text: string }[]): string {
  const whole = JSON.stringify([userIdOf(owner), ...messages.flatMap(({ role, text }) => [role, text])]);
  return Bun.SHA256.hash(whole, "base64");
}
