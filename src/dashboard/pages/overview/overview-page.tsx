import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice, Tile, Tiles, type Tone } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatCount, formatDuration, formatNumber, formatShare, formatUptime } from "../../format.ts";
import { type LiveOverview, mean, median, sum } from "../../state/history.ts";
import type { LiveState } from "../../state/live.ts";
import { isOlderThan, useLive } from "../../state/use-live.ts";
import { JoinLink } from "../agents/join-link.tsx";
import { OverviewCharts } from "./overview-charts.tsx";
import { RecentRequests } from "./recent-requests.tsx";

export function OverviewPage() {
  const { status, pool } = useLive();
  return (
    <>
      <PageHeader title="Overview" lead={pool ? leadOf(pool) : "The pool as it is now."}>
        {pool ? (
          <Badge tone={pool.ready.status === "ready" ? "ok" : "warn"}>
            {pool.ready.status === "ready" ? "Ready" : "Not ready"}
          </Badge>
        ) : null}
        <LiveBadge status={status} />
      </PageHeader>
      {pool ? <PoolView pool={pool} /> : <Waiting status={status} />}
    </>
  );
}

function leadOf({ version, started_at, now }: LiveOverview): string {
  return `Version ${version}, up for ${formatUptime(Date.parse(now) - Date.parse(started_at))}.`;
}

const LIVE: Record<LiveState["status"], { text: string; tone: Tone }> = {
  connecting: { text: "Connecting …", tone: "plain" },
  live: { text: "Live", tone: "ok" },
  away: { text: "Not live, reconnecting …", tone: "warn" },
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
        title={status === "away" ? "The live view cannot be reached." : "Waiting for the first figures …"}
      >
        {status === "away" ? (
          <p>It is tried again by itself. Is a proxy in between that lets no WebSocket pass?</p>
        ) : null}
      </EmptyState>
    </Card>
  );
}

function PoolView({ pool }: { pool: LiveOverview }) {
  return (
    <>
      {isOlderThan(pool.version) ? (
        <Notice tone="accent">
          The server is of version {pool.version} now, and this page is of another.{" "}
          <Button isSmall onClick={() => location.reload()}>
            Reload the page
          </Button>
        </Notice>
      ) : null}
      {pool.ready.reasons.length > 0 ? (
        <Notice tone="warn">Asks cannot be taken now: {pool.ready.reasons.join(", ")}.</Notice>
      ) : null}
      {pool.agents.connected === 0 ? <NoAgents /> : null}
      <Figures pool={pool} />
      <OverviewCharts history={pool.history} />
      <RecentRequests asks={pool.asks} />
    </>
  );
}

function NoAgents() {
  return (
    <Card>
      <EmptyState title="No agent is connected yet.">
        <p>
          Agents do the work: a browser with ChatGPT open, Ollama, llama.cpp, vLLM, or any other OpenAI-style
          server.
        </p>
        <JoinLink />
      </EmptyState>
    </Card>
  );
}

const RATE_S = 10;
const MEDIAN_S = 60;

function Figures({ pool: { agents, slots, queue, history } }: { pool: LiveOverview }) {
  const { series } = history;
  const failed = sum(series.failed);
  const ended = failed + sum(series.ok);
  return (
    <Tiles>
      <Tile
        label="Agents connected"
        value={formatNumber(agents.connected)}
        note={acceptingText(agents)}
        tone={agents.accepting > 0 ? "plain" : "warn"}
      />
      <Tile
        label="Slots in use"
        value={`${slots.in_use} / ${slots.total}`}
        note={slots.total > 0 ? `${formatShare(slots.in_use, slots.total)} of the room` : "no room yet"}
      />
      <Tile
        label="Waiting asks"
        value={formatNumber(queue.length)}
        note={queue.length > 0 ? `the oldest for ${formatDuration(queue.oldest_wait_ms)}` : "nobody waits"}
        tone={queue.length > 0 ? "warn" : "plain"}
      />
      <Tile
        label="Asks a second"
        value={formatNumber(mean(series.asks, RATE_S))}
        note={`over the last ${RATE_S} s`}
      />
      <Tile
        label="Time to first byte"
        value={formatDuration(median(series.first_byte_ms, MEDIAN_S))}
        note="median, last minute"
      />
      <Tile
        label="Failed in 15 minutes"
        value={formatNumber(failed)}
        note={ended > 0 ? `${formatShare(failed, ended)} of ${formatCount(ended, "ask")}` : "no asks"}
        tone={failed > 0 ? "bad" : "plain"}
      />
    </Tiles>
  );
}

function acceptingText({ connected, accepting }: LiveOverview["agents"]): string {
  if (connected === 0) return "none yet";
  return accepting === connected ? "all take work" : `${formatNumber(accepting)} of them take work`;
}
