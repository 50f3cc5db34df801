import type { Child } from "hono/jsx/dom";
import type { Agent } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/card.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { formatAgo, formatDuration, formatTime } from "../../format.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { trafficHref } from "../traffic/traffic-view.ts";
import { AgentFailures } from "./agent-failures.tsx";
import { AgentLoad, AgentStateBadge } from "./agent-list.tsx";
import { OldVersionBadge, UpdateAgentButton } from "./agent-version.tsx";

interface AgentDetailsProps {
  agent: Agent;
  /** Whether the agent is still connected. */
  isConnected: boolean;
  /** The server's time, in milliseconds since 1970. */
  now: number;
  /** Called after the agent was reset. */
  onReset: () => void;
  onDisconnect: () => void;
  onClose: () => void;
}

const TRANSPORT_NAMES: Record<NonNullable<Agent["transport"]>, string> = {
  websocket: "WebSocket",
  "long-polling": "Long-polling",
  "in-process": "In the server's process",
};

/** Everything that is known about one agent, kept up to date. */
export function AgentDetails(props: AgentDetailsProps) {
  const { agent, isConnected, now, onReset, onDisconnect, onClose } = props;
  const { version, protocol, transport, address, key, since, last_heard, models, loaded_models, id } = agent;
  return (
    <Dialog title={agent.name} onClose={onClose}>
      {isConnected ? null : (
        <Notice tone="warn">This agent has disconnected. The details are from its last moment.</Notice>
      )}
      <dl class="facts">
        <Fact name="State">
          <AgentStateBadge agent={agent} />
        </Fact>
        <Fact name="Slots in use">
          <AgentLoad agent={agent} />
        </Fact>
        <Fact name="Requests">
          <a href={requestsHref({ agent: id, period: "24h" })}>List</a> ·{" "}
          <a href={requestsHref({ agent: id, period: "24h", outcome: "failed" })}>Failed</a> ·{" "}
          <a href={trafficHref({ period: "24h", by: "model", only: { group: "agent", name: id } })}>
            Traffic
          </a>
        </Fact>
        <Fact name="Last seen">{formatAgo(last_heard, now)}</Fact>
        <Fact name="Connected since">{formatTime(since)}</Fact>
        <Fact name="Version">
          {version ?? "Not reported"} <OldVersionBadge agent={agent} />
        </Fact>
        <Fact name="Protocol">{protocol}</Fact>
        {transport === undefined ? null : <Fact name="Transport">{TRANSPORT_NAMES[transport]}</Fact>}
        <Fact name="Address">
          <span class="mono">{address}</span>
        </Fact>
        <Fact name="Key">{key === null ? "No key" : key === "main" ? "Main key" : key}</Fact>
        {agent.node === undefined ? null : <Fact name="Node">{agent.node}</Fact>}
        <Fact name="Priority">{agent.priority}</Fact>
        <Fact name="Weight">{agent.weight}</Fact>
        <Fact name="Tags">{agent.tags.join(", ") || "None"}</Fact>
        <Fact name="ID">
          <span class="mono">{id}</span>
        </Fact>
        <RecentFacts agent={agent} now={now} />
        {agent.circuits.length > 0 ? (
          <Fact name="Failures">
            <AgentFailures agent={agent} now={now} onReset={isConnected ? onReset : undefined} />
          </Fact>
        ) : null}
        <Fact name={`Models (${models.length})`}>
          <ul class="agent-models">
            {models.map((model) => (
              <li class="mono">
                {model}
                {loaded_models?.includes(model) ? <span class="muted"> loaded</span> : null}
              </li>
            ))}
          </ul>
        </Fact>
      </dl>
      <div class="form-actions">
        {isConnected ? <UpdateAgentButton agent={agent} /> : null}
        {isConnected ? (
          <Button kind="danger" onClick={onDisconnect}>
            Disconnect …
          </Button>
        ) : null}
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

function RecentFacts({ agent: { recent }, now }: Pick<AgentDetailsProps, "agent" | "now">) {
  if (!recent || recent.requests === 0) return null;
  const { requests, failed, first_byte_ms: wait, last_error: error } = recent;
  return (
    <>
      <Fact name="Latest requests">
        {failed} of {requests} failed
        {wait === null ? "" : `, first byte after ${formatDuration(wait)}`}
      </Fact>
      {error ? (
        <Fact name="Last error">
          {error.reason} ({formatAgo(error.at, now)})
        </Fact>
      ) : null}
    </>
  );
}

function Fact({ name, children }: { name: string; children?: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
