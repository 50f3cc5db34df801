import type { Agent } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Fact, Notice } from "../../components/card.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { formatAgo, formatDuration, formatTime } from "../../format.ts";
import { text } from "../../texts/texts.ts";
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

/** Everything that is known about one agent, kept up to date. */
export function AgentDetails(props: AgentDetailsProps) {
  const { agent, isConnected, now, onReset, onDisconnect, onClose } = props;
  const { version, protocol, transport, address, key, since, last_heard, models, loaded_models, id } = agent;
  return (
    <Dialog title={agent.name} onClose={onClose}>
      {isConnected ? null : <Notice tone="warn">{text("agent.gone")}</Notice>}
      <dl class="facts">
        <Fact name={text("agents.state")}>
          <AgentStateBadge agent={agent} />
        </Fact>
        <Fact name={text("agent.slotsInUse")}>
          <AgentLoad agent={agent} />
        </Fact>
        <Fact name={text("agent.requests")}>
          <a href={requestsHref({ agent: id, period: "24h" })}>{text("agent.requests.list")}</a> ·{" "}
          <a href={requestsHref({ agent: id, period: "24h", outcome: "failed" })}>
            {text("agent.requests.failed")}
          </a>{" "}
          ·{" "}
          <a href={trafficHref({ period: "24h", by: "model", only: { agent: id } })}>
            {text("agent.requests.traffic")}
          </a>
        </Fact>
        <Fact name={text("agents.lastSeen")}>{formatAgo(last_heard, now)}</Fact>
        <Fact name={text("agent.connectedSince")}>{formatTime(since)}</Fact>
        <Fact name={text("agent.version")}>
          {version ?? text("agent.version.unknown")} <OldVersionBadge agent={agent} />
        </Fact>
        <Fact name={text("agent.protocol")}>{protocol}</Fact>
        {transport === undefined ? null : (
          <Fact name={text("agent.transport")}>{text(`agent.transport.${transport}`)}</Fact>
        )}
        <Fact name={text("agents.address")}>
          <span class="mono">{address}</span>
        </Fact>
        <Fact name={text("agent.key")}>{keyText(key)}</Fact>
        {agent.node === undefined ? null : <Fact name={text("agents.node")}>{agent.node}</Fact>}
        <Fact name={text("agent.priority")}>{agent.priority}</Fact>
        <Fact name={text("agent.weight")}>{agent.weight}</Fact>
        <Fact name={text("agent.tags")}>{agent.tags.join(", ") || text("agent.tags.none")}</Fact>
        <Fact name={text("agent.id")}>
          <span class="mono">{id}</span>
        </Fact>
        <RecentFacts agent={agent} now={now} />
        {agent.circuits.length > 0 ? (
          <Fact name={text("agent.failures")}>
            <AgentFailures agent={agent} now={now} onReset={isConnected ? onReset : undefined} />
          </Fact>
        ) : null}
        <Fact name={text("agent.models", { count: models.length })}>
          <ul class="agent-models">
            {models.map((model) => (
              <li class="mono">
                {model}
                {loaded_models?.includes(model) ? <span class="muted"> {text("agent.loaded")}</span> : null}
              </li>
            ))}
          </ul>
        </Fact>
      </dl>
      <div class="form-actions">
        {isConnected ? <UpdateAgentButton agent={agent} /> : null}
        {isConnected ? (
          <Button kind="danger" onClick={onDisconnect}>
            {text("agents.disconnect.more")}
          </Button>
        ) : null}
        <Button onClick={onClose}>{text("dialog.close")}</Button>
      </div>
    </Dialog>
  );
}

function keyText(key: string | null): string {
  if (key === null) return text("agent.key.none");
  return key === "main" ? text("agent.key.main") : key;
}

function RecentFacts({ agent: { recent }, now }: Pick<AgentDetailsProps, "agent" | "now">) {
  if (!recent || recent.requests === 0) return null;
  const { requests, failed, first_byte_ms: wait, last_error: error } = recent;
  return (
    <>
      <Fact name={text("agent.latest")}>
        {wait === null
          ? text("agent.latest.failed", { failed, count: requests })
          : text("agent.latest.failedAndFirstByte", { failed, count: requests, time: formatDuration(wait) })}
      </Fact>
      {error ? (
        <Fact name={text("agent.lastError")}>
          {text("agent.lastError.at", { reason: error.reason, ago: formatAgo(error.at, now) })}
        </Fact>
      ) : null}
    </>
  );
}
