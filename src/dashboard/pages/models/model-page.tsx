import { printable } from "../../../printable.ts";
import { api } from "../../api/api.ts";
import { ApiError } from "../../api/request.ts";
import type { AdminModel } from "../../api/types.ts";
import { LinkButton } from "../../components/button.tsx";
import { Card, EmptyState, Fact, Notice, Tile, Tiles } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import {
  formatDuration,
  formatNumber,
  formatShare,
  formatShort,
  formatTime,
  formatWhole,
} from "../../format.ts";
import type { PeriodName } from "../../state/period.ts";
import { hrefWith } from "../../state/query.ts";
import { hrefOf } from "../../state/route.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { usePoll } from "../../state/use-poll.ts";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { TrafficCharts } from "../traffic/traffic-charts.tsx";
import { trafficHref } from "../traffic/traffic-view.ts";
import { ModelAgents } from "./model-agents.tsx";
import { ModelFailures } from "./model-failures.tsx";
import { ModelState } from "./model-list.tsx";
import { PeriodSelect, useModelPeriod } from "./model-period.tsx";
import { healthOf } from "./model-rows.ts";
import { ModelFallbacks } from "./names/model-fallbacks.tsx";

interface OfModel {
  model: AdminModel;
}

/** One model: its agents, its requests over time, and its last failures. */
export function ModelPage({ id }: { id: string }) {
  const { period, from, reloadMs } = useModelPeriod();
  const load = async (signal: AbortSignal) => {
    const since = from();
    const [state, traffic, failed] = await Promise.all([
      api.modelState(id, since, signal).catch(orUndefined),
      api.traffic({ from: since, model: id }, signal),
      api.requests("admin", { from: since, model: id, outcome: "failed", limit: "5" }, signal),
    ]);
    return { model: state?.model, traffic, failures: failed.requests };
  };
  const { value, error, reload } = useFetch(load, [id, period]);
  usePoll(reload, reloadMs);
  const { model, traffic, failures } = value ?? {};
  return (
    <>
      <PageHeader title={printable(id)} lead={<ModelLinks id={id} />}>
        {model && model.agents.total > 0 ? (
          <LinkButton href={hrefWith("connect", { model: id })}>{text("models.connect")}</LinkButton>
        ) : null}
        {model && model.agents.total > 0 ? (
          <LinkButton href={hrefWith("try", { model: id })}>{text("models.try")}</LinkButton>
        ) : null}
      </PageHeader>
      <div class="row usage-filter">
        <PeriodSelect />
      </div>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value && !model ? <UnknownModel /> : null}
      {model ? (
        <>
          <ModelNotices model={model} />
          <ModelTiles model={model} period={period} />
          <ModelFacts model={model} onChange={reload} />
          <ModelAgents agents={model.agent_list} />
        </>
      ) : null}
      {failures && failures.length > 0 ? <ModelFailures failures={failures} id={id} period={period} /> : null}
      {traffic && traffic.total.asks > 0 ? <TrafficCharts traffic={traffic} /> : null}
    </>
  );
}

/** A model may be gone since somebody kept the link to it. */
function orUndefined(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 404) return undefined;
  throw error;
}

function ModelLinks({ id }: { id: string }) {
  const { period, inAddress } = useModelPeriod();
  return (
    <>
      <a href={hrefWith("models", { period: inAddress })}>{text("models.all")}</a> ·{" "}
      <a href={requestsHref({ model: id, period })}>{text("nav.requests")}</a> ·{" "}
      <a href={requestsHref({ model: id, period, outcome: "failed" })}>{text("models.failedRequests")}</a> ·{" "}
      <a href={trafficHref({ period, by: "agent", only: { model: id } })}>{text("nav.traffic")}</a>
    </>
  );
}

function UnknownModel() {
  return (
    <Card>
      <EmptyState title={text("models.unknown")}>
        <p>{text("models.unknown.next")}</p>
        <LinkButton href={hrefOf("models")}>{text("models.all")}</LinkButton>
      </EmptyState>
    </Card>
  );
}

function ModelNotices({ model: { agents, replaced_by } }: OfModel) {
  return (
    <>
      {agents.total === 0 ? <Notice tone="warn">{text("models.missing.next")}</Notice> : null}
      {replaced_by === null ? null : (
        <Notice tone="warn">{text("models.replacedBy", { model: printable(replaced_by) })}</Notice>
      )}
    </>
  );
}

function ModelTiles({ model, period }: OfModel & { period: PeriodName }) {
  const { id, agents, queue, requests } = model;
  const { asks, failed, refused, share } = requests;
  const link = (shown: string, outcome?: string) => (
    <a href={requestsHref({ model: id, period, outcome })}>{shown}</a>
  );
  const tone = healthOf(model).tone;
  return (
    <Tiles>
      <Tile
        label={text("models.tile.agents")}
        value={text("models.tile.ready", {
          ready: formatWhole(agents.ready),
          total: formatWhole(agents.total),
        })}
        note={stateCounts(agents)}
        tone={tone === "bad" || tone === "warn" ? tone : "plain"}
      />
      <Tile
        label={text("models.column.requests")}
        value={link(formatShort(asks))}
        note={
          share === null || asks === 0 ? undefined : text("models.ofAll", { share: formatShare(share, 1) })
        }
      />
      <Tile
        label={text("models.column.failed")}
        value={link(formatShort(failed), "failed")}
        note={
          refused > 0
            ? text("models.refused", { count: formatWhole(refused) })
            : asks > 0
              ? text("models.ofRequests", { share: formatShare(failed, asks) })
              : undefined
        }
        tone={failed > 0 ? "bad" : "plain"}
      />
      <Tile
        label={text("models.column.firstByte")}
        value={formatDuration(requests.first_byte_ms_p50)}
        note={
          requests.first_byte_ms_p95 === null
            ? undefined
            : text("models.within95", { time: formatDuration(requests.first_byte_ms_p95) })
        }
      />
      <Tile
        label={text("models.column.tokens")}
        value={formatNumber(requests.tokens_per_second)}
        note={text("models.tile.tokensNote")}
      />
      <Tile
        label={text("models.column.waiting")}
        value={formatWhole(queue.waiting)}
        note={
          queue.oldest_wait_ms === null
            ? undefined
            : text("models.oldest", { time: formatDuration(queue.oldest_wait_ms) })
        }
        tone={queue.waiting > 0 ? "warn" : "plain"}
      />
    </Tiles>
  );
}

const STATE_COUNTS = [
  ["failing", "models.count.failing"],
  ["slow", "models.count.slow"],
  ["full", "models.count.full"],
  ["paused", "models.count.paused"],
  ["draining", "models.count.draining"],
] as const;

function stateCounts(agents: AdminModel["agents"]): string | undefined {
  const named = STATE_COUNTS.flatMap(([state, key]) =>
    agents[state] > 0 ? text(key, { count: formatWhole(agents[state]) }) : [],
  );
  return named.length > 0 ? named.join(", ") : undefined;
}

function ModelFacts({ model, onChange }: OfModel & { onChange: () => void }) {
  const { agents, context_length: length, input_modalities: kinds, capabilities, aliases } = model;
  const unknown = text("models.notReported");
  return (
    <Card title={text("models.facts")}>
      <dl class="facts model-facts">
        <Fact name={text("models.column.state")}>
          <ModelState model={model} />
        </Fact>
        <Fact name={text("models.fact.context")}>
          {length === null ? unknown : text("models.tokens", { tokens: formatWhole(length) })}
        </Fact>
        <Fact name={text("models.fact.kinds")}>{kinds?.join(", ") ?? unknown}</Fact>
        <Fact name={text("models.fact.abilities")}>{capabilities?.map(printable).join(", ") || unknown}</Fact>
        <Fact name={text("models.fact.loaded")}>
          {agents.loaded === null
            ? unknown
            : text("models.loadedOf", {
                count: formatWhole(agents.loaded),
                total: formatWhole(agents.total),
              })}
        </Fact>
        <Fact name={text("models.fact.owner")}>{printable(model.owned_by ?? "") || unknown}</Fact>
        <Fact name={text("models.fact.since")}>{formatTime(model.offered_since)}</Fact>
        <Fact name={text("models.aliases")}>
          {aliases.map(printable).join(", ") || text("models.noneSet")}
        </Fact>
        <Fact name={text("models.fallbacks")}>
          <ModelFallbacks model={model} onChange={onChange} />
        </Fact>
      </dl>
    </Card>
  );
}
