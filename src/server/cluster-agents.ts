import { AffinityNotes } from "../cluster/agents/affinity-notes.ts";
import { Claims } from "../cluster/agents/claims.ts";
import { Directory } from "../cluster/agents/directory.ts";
import { RemoteAgents } from "../cluster/agents/remote-agents.ts";
import { SharedThreads } from "../cluster/agents/threads.ts";
import type { Link, Part } from "../cluster/part.ts";
import { Threads } from "../http/models/threads.ts";
import type { RelayObserver } from "../relay/options.ts";
import type { Relay } from "../relay/relay.ts";
import type { CountingClock } from "../time.ts";

export type ClusterAgents = ReturnType<typeof createClusterAgents>;

interface Given {
  link: Link;
  clock: CountingClock;
  /** The relay of this node, which is made later. */
  relay: () => Relay;
}

/** Creates what lets the nodes know each other's agents, and what those have. */
export function createClusterAgents({ link, clock, relay }: Given) {
  const soon = (run: () => void) => void setImmediate(run);
  const directory = new Directory({ link, clock, soon, replaced: (id) => relay().replaced(id) });
  const claims = new Claims({ directory, link, clock, newId: () => crypto.randomUUID() });
  const remote = new RemoteAgents({ directory, relay, link, clock });
  const threads = new Threads();
  const shared = new SharedThreads({ link, clock, soon, threads });
  threads.share = (key, thread) => shared.share(key, thread);
  const notes = new AffinityNotes({ book: () => relay().affinity, link, soon });
  const parts: Part[] = [directory, claims, remote, shared, notes];
  return {
    directory,
    claims,
    remote,
    threads,
    /** The directory comes first, as the others look into it. */
    parts,
    /** Returns the observer, which also tells the directory which agents come and go. */
    observed: (observer: RelayObserver): RelayObserver => ({
      ...observer,
      joined(agent) {
        directory.observer.joined(agent);
        observer.joined(agent);
      },
      left(agent, reason) {
        directory.observer.left(agent, reason);
        observer.left(agent, reason);
      },
    }),
    /** To be called once the relay is made. */
    start(): void {
      relay().affinity.onNote = (...note) => notes.tell(...note);
    },
  };
}
