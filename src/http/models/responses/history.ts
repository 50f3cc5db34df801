export type ChatPart = Record<string, unknown> & { type: string };

interface AssistantMessage {
  role: "assistant";
  content: string | null;
  reasoning_content?: string;
  tool_calls?: { id: string; type: "function"; function: { name: string; arguments: string } }[];
}

export type ChatMessage =
  | { role: "system" | "user"; content: string | ChatPart[] }
  | AssistantMessage
  | { role: "tool"; tool_call_id: string; content: string };

/**
 * Collects the items of a conversation as messages. The items of one turn of the model become one message.
 */
export function createHistory() {
  const messages: ChatMessage[] = [];
  let turn: AssistantMessage | undefined;
  /** Waits for the message that follows: upstreams take no reasoning without one. */
  let reasoning: string | undefined;
  let images: ChatPart[] = [];
  const assistant = () => {
    if (turn === undefined) {
      flushImages();
      turn = { role: "assistant", content: null, ...(reasoning && { reasoning_content: reasoning }) };
      reasoning = undefined;
      messages.push(turn);
    }
    return turn;
  };
  /** A tool's message holds only text, and nothing may stand between the tools' messages of one turn. */
  const flushImages = () => {
    if (images.length > 0) messages.push({ role: "user", content: images });
    images = [];
  };
  return {
    messages,
    add(message: ChatMessage) {
      turn = undefined;
      reasoning = undefined;
      flushImages();
      messages.push(message);
    },
    addText(text: string) {
      // After a call, text still belongs to the same message: the result of the call must follow at once.
      if (turn?.content != null && turn.tool_calls === undefined) turn = undefined;
      const current = assistant();
      current.content = current.content === null ? text : `${current.content}\n\n${text}`;
    },
    addReasoning(text: string) {
      if (turn?.tool_calls === undefined) {
        turn = undefined;
        reasoning = reasoning === undefined ? text : `${reasoning}\n\n${text}`;
      } else turn.reasoning_content = [turn.reasoning_content, text].filter(Boolean).join("\n\n");
    },
    addCall(id: string, name: string, callArguments: string) {
      const current = assistant();
      current.tool_calls ??= [];
      current.tool_calls.push({ id, type: "function", function: { name, arguments: callArguments } });
    },
    addResult(callId: string, content: string, parts: ChatPart[]) {
      turn = undefined;
      reasoning = undefined;
      messages.push({ role: "tool", tool_call_id: callId, content });
      images.push(...parts);
    },
    close: flushImages,
  };
}

export type History = ReturnType<typeof createHistory>;
