import { AppError } from "../errors.ts";
import { parseBoundedJson } from "../json/parse.ts";
import { V1_MESSAGE, V1AgentFrame, V1Answer, type V1ServerFrame } from "../protocol/agent-v1.ts";
import type { AgentCommand, AgentLink, Transport } from "../relay/ports.ts";
import { Line } from "./connection.ts";
import { type AgentSession, allowedModels, type SessionOptions } from "./session.ts";

export interface ReferenceAgentOptions extends SessionOptions {
  /** The model it is to offer, as its protocol has no word for it. */
  model: string;
}

/** The ids of existing agents are UUIDs that a server of this kind once gave them. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const V1_PROFILE = {
  name: "v1 agent",
  protocol: "v1",
  slots: 1,
  endpoints: [],
} as const;

/** Frames in a row that nobody asked for. An agent beyond it is broken or hostile. */
const BAD_FRAMES_MAX = 100;

/** Speaks the reference's protocol with one agent: see `protocol/reference.ts` for its frames. */
export function openV1Agent(options: ReferenceAgentOptions): AgentSession {
  return new ReferenceAgent(options);
}

class ReferenceAgent extends Line<ReferenceAgentOptions> implements Transport {
  #pingId: string | undefined;
  /** The slot of the last request, to which an answer that cannot be read is put down. */
  #slot: string | undefined;
  #badFrames = 0;

  constructor(options: ReferenceAgentOptions) {
    super(options);
    if (!this.#tell(options.newId(), V1_MESSAGE.hello, "")) this.close("frames_dropped");
  }

  send(command: AgentCommand): boolean {
    switch (command.kind) {
      case "ping":
        this.#pingId = this.options.newId();
        return this.#tell(this.#pingId, V1_MESSAGE.ping, "");
      case "ask":
        this.#slot = command.slot;
        return this.#tell(command.slot, V1_MESSAGE.ask, JSON.stringify(command.what));
      case "cancel":
        // The protocol has no word for it: the answer is dropped when it comes.
        return true;
    }
  }

  frame(text: string): void {
    if (this.closed) return;
    const frame = parseFrame(text);
    if (!this.link) this.#hello(frame);
    else if (!frame) this.#unreadable(this.link);
    else if (frame.id === this.#pingId) this.#pong(this.link);
    else if (this.link.holds(frame.id)) this.#answer(this.link, frame);
    else this.#bad(this.link);
  }

  #hello(frame: V1AgentFrame | undefined): void {
    if (!frame || !UUID.test(frame.id)) {
      this.close("hello_invalid");
      return;
    }
    const { address, trusted, key, join, model } = this.options;
    this.endHello();
    const id = frame.id.toLowerCase();
    const models = allowedModels([{ id: model }], key);
    this.link = join({ ...V1_PROFILE, models, id, address, trusted, key }, this);
    if (!this.link) this.close("id_in_use");
  }

  #pong(link: AgentLink): void {
    this.#pingId = undefined;
    this.#badFrames = 0;
    link.pong();
  }

  #answer(link: AgentLink, frame: V1AgentFrame): void {
    this.#badFrames = 0;
    const answer = parseAnswer(frame.data);
    if (answer) link.done(frame.id, { kind: "v1", answer });
    else
      link.fail(frame.id, new AppError("agent_answer_invalid", { extra: { response: echo(frame) } }), true);
  }

  /** It may have been the answer, so its ask moves on now rather than when the time limit is over. */
  #unreadable(link: AgentLink): void {
    const slot = this.#slot;
    this.#bad(link);
    if (slot === undefined || !link.holds(slot)) return;
    link.fail(slot, new AppError("agent_lost", { extra: { err: "the answer was not JSON" } }), true);
  }

  #bad(link: AgentLink): void {
    link.ignored();
    if (++this.#badFrames < BAD_FRAMES_MAX) return;
    this.close("frames_bad");
    link.gone();
  }

  #tell(id: string, message: string, data: string): boolean {
    const frame: V1ServerFrame = { id, message, data };
    return this.write(frame);
  }
}

function parseFrame(text: string): V1AgentFrame | undefined {
  return V1AgentFrame.safeParse(parseBoundedJson(text)).data;
}

function parseAnswer(data: unknown): V1Answer | undefined {
  return typeof data === "string" ? V1Answer.safeParse(parseBoundedJson(data)).data : undefined;
}

/** The frame as the reference shows it to the caller whose ask it failed. */
function echo({ id, message, data }: V1AgentFrame): V1ServerFrame {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { id, message: text(message), data: text(data) };
}
