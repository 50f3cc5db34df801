import type { V2Agent, V2AgentOptions } from "./v2-agent.ts";

type Usage = { prompt_tokens: number; completion_tokens: number };

/**
 * Answers an ask as an upstream of chat completions does, streamed or not, with the token counts of `usage`.
 */
export function answerChat(agent: V2Agent, ask: string, stream: boolean, usage?: Usage): void {
  const done = { type: "done", ask, status: 200, ...(usage && { usage }) };
  if (!stream) {
    const message = { role: "assistant", content: "fine" };
    agent.say({ ...done, body: JSON.stringify({ choices: [{ index: 0, message }] }) });
    return;
  }
  const data = JSON.stringify({ choices: [{ index: 0, delta: { content: "fine" } }] });
  agent.say({ type: "delta", ask, data });
  agent.say({ type: "delta", ask, data: "[DONE]" });
  agent.say(done);
}

/** The options of an agent that answers each ask at once. */
export function answering(usage?: Usage): V2AgentOptions {
  return { onAsk: ({ ask, stream }, agent) => answerChat(agent, ask, stream, usage) };
}
