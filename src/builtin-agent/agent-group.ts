import type { CommandError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import type { Claim } from "../protocol/agent-v2.ts";
import { BuiltinAgent, type BuiltinAgentOptions } from "./builtin-agent.ts";
import { SlotBudget } from "./slot-budget.ts";
import type { Upstream } from "./upstream.ts";

/** An upstream of a group, and how its agent registers. */
export interface GroupMember {
  upstream: Upstream;
  /** The agent's name in the server's lists. */
  name: string;
  /** How many asks to send to the upstream at once; `auto` for what the upstream says, or else 8. */
  slots: number | "auto";
  claim?: Claim;
  /** Whether log lines begin with the agent's name. */
  isNamedInLog?: boolean;
}

export type AgentGroupOptions = Omit<BuiltinAgentOptions, keyof GroupMember>;

/**
 * Connects several upstreams to one server, each by an agent of its own. So the server knows the free slots, the
 * models and the health of each upstream, and one that is full, slow or down holds up no other.
 */
export class AgentGroup {
  readonly #ended = Promise.withResolvers<CommandError | undefined>();
  /** Resolves when all agents have ended: after `stop`, or with the error of the last one that the server refused. */
  readonly ended = this.#ended.promise;
  readonly #budget = new SlotBudget();
  readonly #agents = new Set<BuiltinAgent>();
  #stopping: Promise<void> | undefined;

  constructor(private readonly options: AgentGroupOptions) {}

  /** Connects one more upstream. Does nothing after `stop`. */
  add({ isNamedInLog = false, slots, ...member }: GroupMember): void {
    if (this.#stopping !== undefined) return;
    const log = isNamedInLog ? namedLog(this.options.log, member.name) : this.options.log;
    const agent = new BuiltinAgent({ ...this.options, ...member, log, slots: this.#budget.share(slots) });
    this.#agents.add(agent);
    void agent.ended.then((error) => this.#left(agent, error));
  }

  /** Stops all agents at once, each as `BuiltinAgent.stop` does. Resolves when the last one has ended. */
  stop(drainMs: number): Promise<void> {
    this.#stopping ??= this.#stop(drainMs);
    return this.#stopping;
  }

  async #stop(drainMs: number): Promise<void> {
    await Promise.all([...this.#agents].map((agent) => agent.stop(drainMs)));
    this.#ended.resolve(undefined);
  }

  #left(agent: BuiltinAgent, error: CommandError | undefined): void {
    this.#agents.delete(agent);
    if (this.#agents.size === 0 && this.#stopping === undefined) this.#ended.resolve(error);
  }
}

/** Returns a log whose lines say which agent of the process they are about. */
function namedLog(log: Log, name: string): Log {
  const naming =
    (write: Log["info"]): Log["info"] =>
    (event, fields, words) =>
      write(event, { name, ...fields }, words && `${name}: ${words}`);
  return {
    ...log,
    debug: naming(log.debug),
    info: naming(log.info),
    warn: naming(log.warn),
    error: naming(log.error),
  };
}
