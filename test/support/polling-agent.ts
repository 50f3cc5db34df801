import { AnswerHead, readLines, SESSION_HEADER } from "../../src/protocol/agent-polling.ts";
import { V2_HELLO } from "./v2-agent.ts";

export interface PollReply {
  status: number;
  head: AnswerHead;
  messages: { type: string; [field: string]: unknown }[];
}

/** The requests of one session of long-polling, as the page of the agent protocol describes them. */
export interface PollingAgent {
  session: string;
  /** Sends a request with this head, and these messages. */
  send(head: object, ...messages: object[]): Promise<PollReply>;
}

interface PollingAgentOptions {
  key?: string | undefined;
  headers?: Record<string, string>;
}

export async function post(
  url: string,
  { key, headers }: PollingAgentOptions,
  body?: string,
): Promise<Response> {
  return fetch(`${url}/client/poll`, {
    method: "POST",
    headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
    ...(body !== undefined && { body }),
  });
}

/** Begins a session, and says hello. */
export async function startPollingAgent(url: string, options: PollingAgentOptions): Promise<PollingAgent> {
  const begun = await post(url, options);
  if (begun.status !== 200) throw new Error(await begun.text());
  const { session = "" } = AnswerHead.parse(JSON.parse(await begun.text()));
  const headers = { ...options.headers, [SESSION_HEADER]: session };
  const agent: PollingAgent = {
    session,
    async send(head, ...messages) {
      const body = [head, ...messages].map((line) => JSON.stringify(line)).join("\n");
      const response = await post(url, { ...options, headers }, body);
      const lines = readLines(await response.text());
      if (!lines) throw new Error("The answer has too many lines.");
      return {
        status: response.status,
        head: JSON.parse(lines.head),
        messages: lines.messages.map((line) => JSON.parse(line)),
      };
    },
  };
  await agent.send({ first: 1 }, V2_HELLO);
  return agent;
}
