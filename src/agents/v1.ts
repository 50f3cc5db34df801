import { AppError, type ErrorCode } from "../errors.ts";
import { parseBoundedJson } from "../json/parse.ts";
import { V1_MESSAGE, V1AgentFrame, V1Answer, type V1ServerFrame } from "../protocol/agent-v1.ts";
import { plainV1Answer } from "../protocol/plain.ts";
import type { Agent } from "../relay/agent.ts";
import type { AgentCommand } from "../relay/types.ts";
import { AgentConnection, type AgentSocket, type ConnectionOptions } from "./connection.ts";

export interface V1Options extends ConnectionOptions {
  /** The model that v1 agents offer, as v1 has no field for it. */
  v1Model: string;
}

/** The id of an existing agent is a UUID that a server of this kind once sent it. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const V1_PROFILE = { name: "v1 agent", protocol: "v1", slots: 1, endpoints: [] } as const;

/** Unexpected frames in a row. An agent that sends more is broken or hostile. */
const UNEXPECTED_FRAMES_MAX = 100;

/** The connection of an agent that speaks v1. See `protocol/agent-v1.ts` for the frames. */
export class V1Connection extends AgentConnection<V1Options> {
  readonly protocol = "v1";
  #pingId: string | undefined;
  /** The slot of the last request. A frame that cannot be read is taken for its answer. */
  #slot: string | undefined;
  #unexpectedFrames = 0;

  override open(socket: AgentSocket): void {
    super.open(socket);
    if (!this.#send(this.options.newId(), V1_MESSAGE.hello, "")) this.close("frames_dropped");
  }

  send(command: AgentCommand): boolean {
    switch (command.kind) {
      case "ping":
        this.#pingId = this.options.newId();
        return this.#sendMarked(this.#pingId, V1_MESSAGE.ping, "");
      case "ask":
        this.#slot = command.slot;
        return this.#sendMarked(command.slot, V1_MESSAGE.ask, JSON.stringify(command.request));
      case "cancel":
      case "update":
        // v1 has no frame for them. The answer of a cancelled ask is dropped when it comes.
        return true;
    }
  }

  protected frame(text: string): void {
    const frame = V1AgentFrame.safeParse(parseBoundedJson(text)).data;
    const { agent } = this;
    if (!agent) this.#hello(frame);
    else if (!frame) this.#unreadable(agent);
    else if (frame.id === this.#pingId) this.#pong(agent);
    else if (agent.holds(frame.id)) this.#answer(agent, frame);
    else this.#unexpected();
  }

  #hello(frame: V1AgentFrame | undefined): void {
    const id = frame?.id.toLowerCase() ?? "";
    const models = [{ id: this.options.v1Model }];
    if (UUID.test(id)) this.register({ ...V1_PROFILE, models, id });
    else this.close("hello_id_invalid");
  }

  #pong(agent: Agent): void {
    this.#pingId = undefined;
    this.#unexpectedFrames = 0;
    this.markRead();
    this.relay.pong(agent);
  }

  #answer(agent: Agent, frame: V1AgentFrame): void {
    this.#unexpectedFrames = 0;
    this.markRead();
    const answer = parseAnswer(frame.data);
    if (answer) this.relay.done(agent, frame.id, { kind: "v1", answer });
    else this.#fail(agent, frame.id, "agent_answer_invalid", { response: echo(frame) });
  }

  /** The frame may have been the answer, so the ask moves on now instead of at its time limit. */
  #unreadable(agent: Agent): void {
    const slot = this.#slot;
    this.#unexpected();
    if (slot === undefined || !agent.holds(slot)) return;
    this.#fail(agent, slot, "agent_lost", { err: "the answer was not JSON" });
  }

  #fail(agent: Agent, slot: string, code: ErrorCode, extra: Record<string, unknown>): void {
    this.relay.fail(agent, slot, new AppError(code, { extra }), true);
  }

  #unexpected(): void {
    this.relay.ignored();
    if (++this.#unexpectedFrames >= UNEXPECTED_FRAMES_MAX) this.refuse("frames_bad");
  }

  #sendMarked(id: string, message: string, data: string): boolean {
    const isSent = this.#send(id, message, data);
    this.markSent();
    return isSent;
  }

  #send(id: string, message: string, data: string): boolean {
    return this.write({ id, message, data } satisfies V1ServerFrame);
  }
}

function parseAnswer(data: unknown): V1Answer | undefined {
  if (typeof data !== "string") return undefined;
  const value = parseBoundedJson(data);
  return plainV1Answer(value) ?? V1Answer.safeParse(value).data;
}

/** Returns the frame as the reference shows it to the caller whose request it failed. */
function echo({ id, message, data }: V1AgentFrame): V1ServerFrame {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { id, message: text(message), data: text(data) };
}
