import type { AgentSocket } from "../../src/agents/connection.ts";

/** A socket that keeps the frames it is sent, and how it was closed. */
export function createFakeSocket<Frame>() {
  const sent: Frame[] = [];
  const closed: { code: number; reason: string }[] = [];
  const socket: AgentSocket = {
    sendText: (text) => {
      sent.push(JSON.parse(text));
      return text.length;
    },
    getBufferedAmount: () => 0,
    close: (code, reason) => closed.push({ code, reason }),
  };
  return { socket, sent, closed };
}

/** The lease of a socket, in a test that is not about the limits. */
export const UNLIMITED = { identified: () => {}, end: () => {} };
