import { BoundedMap } from "../../bounded-map.ts";
import { type Principal, userIdOf } from "../../principal.ts";
import type { V1Request } from "../../protocol/agent-v1.ts";
import type { Asker } from "../../relay/conversation.ts";
import type { Relay } from "../../relay/relay.ts";
import type { AskResult } from "../../relay/types.ts";
import type { WholeCompletion } from "./chat-completion.ts";
import { completionOf, promptOf, readPlainChat } from "./v1-chat.ts";

/** A plan for v1 agents: how they are asked for a chat completion. */
export interface V1Plan {
  request: V1Request;
  /** The agent that has the messages so far, if there is one. */
  pin: string | undefined;
  /** Returns the answer as a chat completion. */
  completion(result: AskResult): WholeCompletion;
}

/** The position of a chat at a v1 agent, which has its messages. */
interface Thread {
  conversation: string;
  /** The `response_id` of the last answer. */
  parent: string;
  agent: string;
}

const THREADS_MAX = 10_000;

/**
 * Finds the conversation that a chat continues by a hash of its owner and of the messages before its
 * question, as callers of the OpenAI-style API name no conversation. Forgets the chats that were continued
 * longest ago.
 */
export class Threads extends BoundedMap<string, Thread> {
  constructor() {
    super(THREADS_MAX);
  }
}

export interface V1PlanDeps {
  relay: Pick<Relay, "isConnected">;
  threads: Threads;
  newId: () => string;
  now: () => number;
}

/**
 * Returns the plan for v1 agents. It continues a known conversation if the chat's earlier messages are from
 * one, and otherwise sends the whole chat as one prompt. Throws an `AppError` if the chat holds more than
 * text.
 */
export function v1Plan(deps: V1PlanDeps, asker: Asker, chat: unknown, model: string): V1Plan {
  const plain = readPlainChat(chat);
  const owner = asker.principal;
  const known = plain.history.length > 0 ? deps.threads.get(keyOf(owner, plain.history)) : undefined;
  const thread = known && deps.relay.isConnected(known.agent) ? known : undefined;
  return {
    pin: thread?.agent,
    request: {
      message_id: deps.newId(),
      conversation_id: thread?.conversation ?? "",
      parent_id: thread?.parent ?? deps.newId(),
      content: thread ? plain.question : promptOf(plain),
    },
    completion({ answer, agent }) {
      if (answer.kind !== "v1") throw new Error("not the answer of a v1 agent");
      const { content, conversation_id, response_id } = answer.answer;
      if (conversation_id !== "") {
        const question = { role: "user", text: plain.question };
        const key = keyOf(owner, [...plain.history, question, { role: "assistant", text: content }]);
        deps.threads.set(key, { conversation: conversation_id, parent: response_id, agent });
      }
      return completionOf(content, model, deps.newId(), Math.floor(deps.now() / 1000));
    },
  };
}

/** Returns a hash of all messages, in a form in which two different lists never look the same. */
function keyOf(owner: Principal, messages: readonly { role: string; text: string }[]): string {
  const whole = JSON.stringify([userIdOf(owner), ...messages.flatMap(({ role, text }) => [role, text])]);
  return Bun.SHA256.hash(whole, "base64");
}
