import { AppError } from "../../../src/errors.ts";
import type { Agent } from "../../../src/relay/agent.ts";
import type { Relay } from "../../../src/relay/relay.ts";
import type { AgentCommand, AgentProfile, Transport } from "../../../src/relay/types.ts";
import type { Random } from "../../support/random.ts";
import { answerTo } from "../../support/transport.ts";

/** How many deltas each streamed answer has: `name/0`, `name/1` and so on. */
export const PIECES = 3;

interface Task {
  slot: string;
  content: string;
  /** How many deltas it has sent. */
  sent: number;
  isAccepted: boolean;
}

/** An agent that does one thing at a time, when it is told to. */
export class PlayedAgent {
  readonly tasks: Task[] = [];
  takesFrames = true;
  isConnected = true;
  /** The most asks that it had at once. */
  tasksMax = 0;
  readonly agent: Agent;

  /** Throws if it is not let in. `onAsk` is called with the content of each ask that it gets. */
  constructor(
    readonly relay: Relay,
    profile: Pick<AgentProfile, "id" | "protocol" | "slots"> & { models?: string[] },
    private readonly onAsk: (content: string) => void,
  ) {
    const { id, protocol, slots, models = ["m"] } = profile;
    const transport: Transport = {
      send: (command) => this.takesFrames && this.#take(command),
      close: () => {
        this.isConnected = false;
        this.tasks.length = 0;
      },
      sentBytes: () => ({ total: 0, buffered: 0, read: 0 }),
    };
    const joined = relay.join(
      {
        ...{ id, name: id, address: "127.0.0.1", resumed: true, protocol, slots },
        models: models.map((model) => ({ id: model })),
        endpoints: ["chat/completions"],
      },
      transport,
    );
    if (!joined) throw new Error(`${id} was not let in`);
    this.agent = joined;
  }

  #take(command: AgentCommand): boolean {
    if (command.kind === "ping") queueMicrotask(() => this.relay.pong(this.agent));
    else if (command.kind === "cancel") this.#drop(command.slot);
    else if (command.kind === "ask") {
      const { slot, request, model } = command;
      const content = "content" in request ? request.content : request.body(model, new Set());
      this.tasks.push({ slot, content, sent: 0, isAccepted: false });
      this.tasksMax = Math.max(this.tasksMax, this.tasks.length);
      this.onAsk(content);
    }
    return true;
  }

  #drop(slot: string): void {
    const index = this.tasks.findIndex((task) => task.slot === slot);
    if (index >= 0) this.tasks.splice(index, 1);
  }

  /** Goes one step on with one of its asks. */
  step(random: Random): void {
    if (this.tasks.length === 0) return;
    const task = random.pick(this.tasks);
    const { relay, agent } = this;
    if (agent.isV1) {
      this.#drop(task.slot);
      relay.done(agent, task.slot, { kind: "v1", answer: answerTo(task.content) });
    } else if (!task.isAccepted && random.next() < 0.5) {
      task.isAccepted = true;
      relay.accept(agent, task.slot);
    } else if (task.sent < PIECES) {
      relay.delta(agent, task.slot, { data: `${task.content}/${task.sent++}` });
    } else {
      this.#drop(task.slot);
      relay.done(agent, task.slot, { kind: "model", status: 200, body: undefined, usage: undefined });
    }
  }

  refuse(random: Random): void {
    if (this.tasks.length === 0) return;
    const task = random.pick(this.tasks);
    this.#drop(task.slot);
    this.relay.fail(this.agent, task.slot, new AppError("agent_failed"), random.next() < 0.7);
  }

  leave(): void {
    this.isConnected = false;
    this.tasks.length = 0;
    this.relay.gone(this.agent);
  }
}
