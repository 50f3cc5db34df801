import { AppError } from "../errors.ts";
import { jsonExcess } from "../json/bounds.ts";
import {
  AgentReferenceFrame,
  REFERENCE_MESSAGE,
  ReferenceAnswer,
  type ReferenceFrame,
} from "../protocol/agent-v1.ts";
import type { AgentLink, Order, Transport } from "../relay/ports.ts";
import { Line } from "./connection.ts";
import { type AgentSession, allowedModels, type SessionOptions } from "./session.ts";

export interface ReferenceAgentOptions extends SessionOptions {
  /** The model it is to offer, as its protocol has no word for it. */
  model: string;
}

/** The ids of existing agents are UUIDs that a server of this kind once gave them. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const REFERENCE_PROFILE = {
  name: "reference agent",
  protocol: "reference",
  slots: 1,
  endpoints: [],
} as const;

/** Frames in a row that nobody asked for. An agent beyond it is broken or hostile. */
const BAD_FRAMES_MAX = 100;

/** Speaks the reference's protocol with one agent: see `protocol/reference.ts` for its frames. */
export function openReferenceAgent(options: ReferenceAgentOptions): AgentSession {
  return new ReferenceAgent(options);
}

class ReferenceAgent extends Line<ReferenceAgentOptions> implements Transport {
  #pingId: string | undefined;
  /** The slot of the last request, to which an answer that cannot be read is put down. */
  #slot: string | undefined;
  #badFrames = 0;

  constructor(options: ReferenceAgentOptions) {
    super(options);
    if (!this.#tell(options.newId(), REFERENCE_MESSAGE.hello, "")) this.close("frames_dropped");
  }

  send(order: Order): boolean {
    switch (order.kind) {
      case "ping":
        this.#pingId = this.options.newId();
        return this.#tell(this.#pingId, REFERENCE_MESSAGE.ping, "");
      case "ask":
        this.#slot = order.slot;
        return this.#tell(order.slot, REFERENCE_MESSAGE.ask, JSON.stringify(order.what));
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

  #hello(frame: AgentReferenceFrame | undefined): void {
    if (!frame || !UUID.test(frame.id)) {
      this.close("hello_invalid");
      return;
    }
    const { address, trusted, key, join, model } = this.options;
    this.endHello();
    const id = frame.id.toLowerCase();
    const models = allowedModels([{ id: model }], key);
    this.link = join({ ...REFERENCE_PROFILE, models, id, address, trusted, key }, this);
    if (!this.link) this.close("id_in_use");
  }

  #pong(link: AgentLink): void {
    this.#pingId = undefined;
    this.#badFrames = 0;
    link.pong();
  }

  #answer(link: AgentLink, frame: AgentReferenceFrame): void {
    this.#badFrames = 0;
    const answer = parseAnswer(frame.data);
    if (answer) link.done(frame.id, { kind: "reference", answer });
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
    const frame: ReferenceFrame = { id, message, data };
    return this.write(frame);
  }
}

function parseFrame(text: string): AgentReferenceFrame | undefined {
  return AgentReferenceFrame.safeParse(parseJson(text)).data;
}

function parseAnswer(data: unknown): ReferenceAnswer | undefined {
  return typeof data === "string" ? ReferenceAnswer.safeParse(parseJson(data)).data : undefined;
}

function parseJson(text: string): unknown {
  if (jsonExcess(text, Number.POSITIVE_INFINITY) !== undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The frame as the reference shows it to the caller whose ask it failed. */
function echo({ id, message, data }: AgentReferenceFrame): ReferenceFrame {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { id, message: text(message), data: text(data) };
}
