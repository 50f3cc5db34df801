import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice, type Tone } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StaleNotice } from "../../components/stale-notice.tsx";
import { formatUptime } from "../../format.ts";
import type { LiveOverview } from "../../state/history.ts";
import type { LiveState } from "../../state/live.ts";
import { isAnotherVersion, useLive } from "../../state/use-live.ts";
import { countedText, text } from "../../texts/texts.ts";
import { JoinLink } from "../agents/join-link.tsx";
import { LiveNumbers } from "./live-numbers.tsx";
import { nodeRows } from "./node-rows.ts";
import { NodesCard } from "./nodes-card.tsx";
import { OverviewCharts } from "./overview-charts.tsx";
import { ProblemsCard } from "./problems-card.tsx";
import { RecentRequests } from "./recent-requests.tsx";

export function OverviewPage() {
  const { status, overview } = useLive();
  return (
    <>
      <PageHeader
        title={text("overview.title")}
        lead={overview ? leadOf(overview) : text("overview.leadWaiting")}
      >
        {overview && status !== "reconnecting" ? <ReadyBadge overview={overview} /> : null}
        <LiveBadge status={status} />
      </PageHeader>
      {overview && status === "reconnecting" ? <StaleNotice at={overview.now} /> : null}
      {overview ? <OverviewView overview={overview} /> : <Waiting status={status} />}
    </>
  );
}

function leadOf({ version, started_at, now }: LiveOverview): string {
  const uptime = formatUptime(Date.parse(now) - Date.parse(started_at));
  return text("overview.lead", { version, uptime });
}

/** Does not count notes. */
function ReadyBadge({ overview: { ready, problems } }: { overview: LiveOverview }) {
  const worse = problems.filter(({ severity }) => severity !== "info");
  if (ready.status !== "ready") return <Badge tone="warn">{text("overview.notReady")}</Badge>;
  if (worse.length === 0) return <Badge tone="ok">{text("overview.ready")}</Badge>;
  return <Badge tone="warn">{countedText("overview.readyWithProblems", worse.length)}</Badge>;
}

const LIVE: Record<LiveState["status"], { label: string; tone: Tone }> = {
  connecting: { label: text("overview.live.connecting"), tone: "plain" },
  live: { label: text("overview.live.live"), tone: "ok" },
  reconnecting: { label: text("overview.live.reconnecting"), tone: "warn" },
};

function LiveBadge({ status }: Pick<LiveState, "status">) {
  const { label, tone } = LIVE[status];
  return (
    <span class={`live ${status}`} role="status">
      <Badge tone={tone}>
        <span class="live-dot" aria-hidden="true" />
        {label}
      </Badge>
    </span>
  );
}

function Waiting({ status }: Pick<LiveState, "status">) {
  const isLost = status === "reconnecting";
  return (
    <Card>
      <EmptyState title={isLost ? text("overview.waiting.lost") : text("overview.waiting.title")}>
        {isLost ? <p>{text("overview.waiting.hint")}</p> : null}
      </EmptyState>
    </Card>
  );
}

function OverviewView({ overview }: { overview: LiveOverview }) {
  const { version, ready, agents, problems } = overview;
  const nodes = nodeRows(overview);
  return (
    <>
      {isAnotherVersion(version) ? (
        <Notice tone="accent">
          {text("overview.updated", { version })}{" "}
          <Button isSmall onClick={() => location.reload()}>
            {text("overview.reload")}
          </Button>
        </Notice>
      ) : null}
      {ready.reasons.length > 0 ? (
        <Notice tone="warn">{text("overview.refuses", { reasons: ready.reasons.join(", ") })}</Notice>
      ) : null}
      {problems.length > 0 || ready.status === "ready" ? (
        <ProblemsCard problems={problems} calm={calmSentence(overview)} />
      ) : null}
      {agents.connected === 0 ? <NoAgents /> : null}
      <LiveNumbers overview={overview} />
      {nodes.length > 0 ? <NodesCard rows={nodes} /> : null}
      <OverviewCharts history={overview.history} />
      <RecentRequests requests={overview.asks} />
    </>
  );
}

function calmSentence({ agents, models }: LiveOverview): string {
  return text("overview.calm.sentence", {
    agents: countedText("overview.calm.agents", agents.accepting),
    models: countedText("overview.calm.models", models.length),
  });
}

function NoAgents() {
  return (
    <Card>
      <EmptyState title={text("overview.noAgents.title")}>
        <p>{text("overview.noAgents.hint")}</p>
        <JoinLink />
      </EmptyState>
    </Card>
  );
}
