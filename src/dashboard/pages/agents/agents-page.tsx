import { AgentsOverview } from "./agents-overview.tsx";
import { JoinPage } from "./join-page.tsx";

/** `#/agents` is the list, `#/agents/join` leads a new one in. */
export function AgentsPage({ argument, query }: { argument: string; query: URLSearchParams }) {
  return argument === "join" || query.has("join") ? <JoinPage /> : <AgentsOverview />;
}
