import { AgentsOverview } from "./agents-overview.tsx";
import { JoinPage } from "./join/join-page.tsx";

/** `#/agents` is the list, `#/agents/join` leads a new one in. */
export function AgentsPage({ argument }: { argument: string }) {
  return argument === "join" ? <JoinPage /> : <AgentsOverview />;
}
