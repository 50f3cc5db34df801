import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice, Tile, Tiles, type Tone } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StaleNotice } from "../../components/stale-notice.tsx";
import {
  formatCount,
  formatDuration,
  formatNumber,
  formatShare,
  formatTime,
  formatUptime,
  formatWhole,
} from "../../format.ts";
import { type LiveOverview, median, sum } from "../../state/history.ts";
import type { LiveState } from "../../state/live.ts";
import { hrefOf } from "../../state/route.ts";
import { isAnotherVersion, useLive } from "../../state/use-live.ts";
import { JoinLink } from "../agents/join-link.tsx";
import { requestsHref } from "../requests/request-filter.ts";
import { nodeRows } from "./node-rows.ts";
import { NodesCard } from "./nodes-card.tsx";
import { OverviewCharts } from "./overview-charts.tsx";
import { RecentRequests } from "./recent-requests.tsx";

export function OverviewPage() {
  const { status, overview } = useLive();
  return (
    <>
      <PageHeader title="Overview" lead={overview ? leadOf(overview) : "The overview as it is now."}>
        {overview && status !== "reconnecting" ? (
          <Badge tone={overview.ready.status === "ready" ? "ok" : "warn"}>
            {overview.ready.status === "ready" ? "Ready" : "Not ready"}
          </Badge>
        ) : null}
        <LiveBadge status={status} />
      </PageHeader>
      {overview && status === "reconnecting" ? <StaleNotice at={overview.now} /> : null}
      {overview ? <OverviewView overview={overview} /> : <Waiting status={status} />}
    </>
  );
}

function leadOf({ version, started_at, now }: LiveOverview): string {
  return `Version ${version}, up for ${formatUptime(Date.parse(now) - Date.parse(started_at))}.`;
}

const LIVE: Record<LiveState["status"], { text: string; tone: Tone }> = {
  connecting: { text: "Connecting …", tone: "plain" },
  live: { text: "Live", tone: "ok" },
  reconnecting: { text: "Not live, reconnecting …", tone: "warn" },
};

function LiveBadge({ status }: Pick<LiveState, "status">) {
  const { text, tone } = LIVE[status];
  return (
    <span class={`live ${status}`} role="status">
      <Badge tone={tone}>
        <span class="live-dot" aria-hidden="true" />
        {text}
      </Badge>
    </span>
  );
}

function Waiting({ status }: Pick<LiveState, "status">) {
  return (
    <Card>
      <EmptyState
        title={status === "reconnecting" ? "The live view cannot be reached." : "Waiting for live data …"}
      >
        {status === "reconnecting" ? (
          <p>
            The page keeps trying. Check whether a proxy between the browser and the server blocks WebSockets.
          </p>
        ) : null}
      </EmptyState>
    </Card>
  );
}

/** A sentence for each part that may fail while requests are served. */
const DEGRADED: Record<string, string> = {
  store: "The database does not answer, so only users who were here lately are served.",
  nats: "The way to the other nodes is lost, so requests reach only the agents of this node.",
  certificate: "The certificate could not be renewed: the settings page says why.",
};

function OverviewView({ overview }: { overview: LiveOverview }) {
  const nodes = nodeRows(overview);
  return (
    <>
      {isAnotherVersion(overview.version) ? (
        <Notice tone="accent">
          The server was updated to version {overview.version}, but this page is from another version.{" "}
          <Button isSmall onClick={() => location.reload()}>
            Reload the page
          </Button>
        </Notice>
      ) : null}
      {overview.ready.reasons.length > 0 ? (
        <Notice tone="warn">The server cannot take requests now: {overview.ready.reasons.join(", ")}.</Notice>
      ) : null}
      {overview.ready.degraded ? (
        <Notice tone="warn">{overview.ready.degraded.map((part) => DEGRADED[part] ?? "").join(" ")}</Notice>
      ) : null}
      <FailingAgents agents={overview.agents.failing ?? []} />
      {overview.agents.connected === 0 ? <NoAgents /> : null}
      <LiveNumbers overview={overview} />
      {nodes.length > 0 ? <NodesCard rows={nodes} /> : null}
      <OverviewCharts history={overview.history} />
      <RecentRequests requests={overview.asks} />
    </>
  );
}

/** Names the agents that fail most of their requests, and says why. */
function FailingAgents({ agents }: { agents: NonNullable<LiveOverview["agents"]["failing"]> }) {
  if (agents.length === 0) return null;
  return (
    <Notice tone="warn">
      <ul>
        {agents.map(({ id, name, requests, failed, since, reason }) => (
          <li key={id}>
            <b>{name}</b> has failed {failed} of its last {formatCount(requests, "request")}, since{" "}
            {formatTime(since)}: {reason}.
          </li>
        ))}
      </ul>
      <a href={hrefOf("agents")}>Show the agents</a>
    </Notice>
  );
}

function NoAgents() {
  return (
    <Card>
      <EmptyState title="No agent is connected yet.">
        <p>
          Agents do the work. An agent can be a browser with ChatGPT open, or stand in front of Ollama,
          llama.cpp, vLLM, or any other OpenAI-style server.
        </p>
        <JoinLink />
      </EmptyState>
    </Card>
  );
}

const MINUTE_S = 60;

function LiveNumbers({ overview: { agents, slots, queue, history } }: { overview: LiveOverview }) {
  const { series } = history;
  const failed = sum(series.failed);
  const ended = failed + sum(series.ok);
  return (
    <Tiles>
      <Tile
        label="Agents connected"
        value={formatNumber(agents.connected)}
        note={acceptingText(agents)}
        tone={agents.failing ? "bad" : agents.accepting > 0 ? "plain" : "warn"}
      />
      <Tile
        label="Slots in use"
        value={`${formatWhole(slots.in_use)} / ${formatWhole(slots.total)}`}
        note={slots.total > 0 ? `${formatShare(slots.in_use, slots.total)} in use` : "no slots yet"}
      />
      <Tile
        label="Waiting requests"
        value={formatNumber(queue.length)}
        note={queue.length > 0 ? `oldest: ${formatDuration(queue.oldest_wait_ms)}` : "none waiting"}
        tone={queue.length > 0 ? "warn" : "plain"}
      />
      <Tile
        label="Requests per minute"
        value={<a href={requestsHref({ period: "15m" })}>{formatNumber(sum(series.asks, MINUTE_S))}</a>}
        note="in the last minute"
      />
      <Tile
        label="Time to first byte"
        value={<a href={hrefOf("traffic")}>{formatDuration(median(series.first_byte_ms, MINUTE_S))}</a>}
        note="median, last minute"
      />
      <Tile
        label="Failed (last 15 min)"
        value={
          failed > 0 ? (
            <a href={requestsHref({ period: "15m", outcome: "failed" })}>{formatNumber(failed)}</a>
          ) : (
            formatNumber(failed)
          )
        }
        note={ended > 0 ? `${formatShare(failed, ended)} of ${formatCount(ended, "request")}` : "no requests"}
        tone={failed > 0 ? "bad" : "plain"}
      />
    </Tiles>
  );
}

function acceptingText({ connected, accepting, failing }: LiveOverview["agents"]): string {
  if (connected === 0) return "none yet";
  if (failing) return failing.length === connected ? "all of them fail" : `${failing.length} of them failing`;
  return accepting === connected
    ? "all accept requests"
    : `${formatNumber(accepting)} of them accept requests`;
}
