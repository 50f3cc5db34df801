import { AppError } from "../errors.ts";
import type { AskBody } from "../protocol/ask.ts";
import type { ReferenceAnswer } from "../protocol/reference.ts";
import type { Conversations, Signal } from "./ports.ts";
import type { Relay } from "./relay.ts";

export interface ReferenceAskDeps {
  relay: Relay;
  conversations: Conversations;
  newId: () => string;
}

/** Who asks: a user's id, or null for the holder of the admin key. */
export interface Asker {
  user: string | null;
  admin: boolean;
}

export interface ReferenceAskResult {
  answer: ReferenceAnswer;
  agent: string;
}

const CONVERSATION_ID_LENGTH_MAX = 256;

/**
 * One ask of the reference's kind. A follow-up goes to the agent that has its conversation and only its
 * owner may continue it (the admin any); anybody else gets the same error as for an unknown one.
 */
export async function askReference(
  { relay, conversations, newId }: ReferenceAskDeps,
  asker: Asker,
  body: AskBody,
  signal: Signal,
): Promise<ReferenceAskResult> {
  const known = body.conversation_id ? await conversations.find(body.conversation_id) : undefined;
  if (body.conversation_id && (!known || !(asker.admin || known.user === asker.user))) {
    throw new AppError("conversation_unknown");
  }
  const result = await relay.ask(
    {
      user: asker.user ?? "",
      pin: known?.agent,
      work: {
        kind: "reference",
        request: {
          message_id: body.message_id ?? newId(),
          conversation_id: body.conversation_id ?? "",
          parent_id: body.parent_id ?? newId(),
          content: body.content,
        },
      },
    },
    signal,
  );
  const id = result.answer.conversation_id;
  if (id !== "" && id.length <= CONVERSATION_ID_LENGTH_MAX) {
    const user = id === known?.id ? known.user : asker.user;
    conversations.remember({ id, user, agent: result.agent });
  }
  return result;
}
