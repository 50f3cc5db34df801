import { AgentsOverview } from "./agents-overview.tsx";
import { JoinPage } from "./join/join-page.tsx";

/** `#/agents` is the list of agents; `#/agents/join` connects a new one. */
export function AgentsPage({ argument }: { argument: string }) {
  return argument === "join" ? <JoinPage /> : <AgentsOverview />;
}
