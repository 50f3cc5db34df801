import { printable } from "../../../printable.ts";
import type { AdminModel, ModelAgent } from "../../api/types.ts";
import { StateWithReason } from "../../components/badge.tsx";
import { Name } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatDuration, formatNumber, formatShare, formatWhole } from "../../format.ts";
import type { PeriodName } from "../../state/period.ts";
import { hrefWith } from "../../state/query.ts";
import { hrefOf } from "../../state/route.ts";
import { countedText, text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { healthOf } from "./model-rows.ts";

interface ModelTableProps {
  models: readonly AdminModel[];
  /** The period of the links to requests. */
  period: PeriodName;
  /** The period as it stands in the address of a model. */
  periodInAddress: PeriodName | undefined;
}

export function ModelTable({ models, period, periodInAddress }: ModelTableProps) {
  const columns: Column<AdminModel>[] = [
    {
      title: text("models.column.model"),
      cell: (model) => <ModelName model={model} period={periodInAddress} />,
      isHeader: true,
    },
    { title: text("models.column.state"), cell: (model) => <ModelState model={model} /> },
    { title: text("models.column.agents"), cell: (model) => <AgentsOf model={model} /> },
    {
      title: text("models.column.requests"),
      cell: ({ id, requests: { asks, share } }) => (
        <Figure
          value={<Count count={asks} href={requestsHref({ model: id, period })} />}
          note={
            asks > 0 && share !== null ? text("models.share", { share: formatShare(share, 1) }) : undefined
          }
        />
      ),
      isNumber: true,
    },
    {
      title: text("models.column.failed"),
      cell: ({ id, requests: { failed, refused } }) => (
        <Figure
          value={<Count count={failed} href={requestsHref({ model: id, period, outcome: "failed" })} />}
          note={refused > 0 ? text("models.refused", { count: formatWhole(refused) }) : undefined}
        />
      ),
      isNumber: true,
    },
    {
      title: text("models.column.firstByte"),
      cell: ({ requests: { first_byte_ms_p50: half, first_byte_ms_p95: most } }) => (
        <Figure
          value={formatDuration(half)}
          note={most === null ? undefined : text("models.within95", { time: formatDuration(most) })}
        />
      ),
      isNumber: true,
    },
    {
      title: text("models.column.tokens"),
      cell: ({ requests }) => formatNumber(requests.tokens_per_second),
      isNumber: true,
    },
    {
      title: text("models.column.waiting"),
      cell: ({ queue: { waiting, oldest_wait_ms: oldest } }) => (
        <Figure
          value={waiting === 0 ? <span class="muted">{formatWhole(0)}</span> : formatWhole(waiting)}
          note={oldest === null ? undefined : text("models.oldest", { time: formatDuration(oldest) })}
        />
      ),
      isNumber: true,
    },
  ];
  return <Table caption={text("models.list")} columns={columns} rows={models} keyOf={({ id }) => id} />;
}

/** A number of requests that leads to them, if there are any. */
function Count({ count, href }: { count: number; href: string }) {
  return count === 0 ? <span class="muted">{formatWhole(0)}</span> : <a href={href}>{formatWhole(count)}</a>;
}

/** A number with a smaller note below it. */
function Figure({ value, note }: { value: unknown; note: string | undefined }) {
  return (
    <>
      {value}
      {note === undefined ? null : <span class="cell-note">{note}</span>}
    </>
  );
}

function ModelName({ model, period }: { model: AdminModel; period: PeriodName | undefined }) {
  const { id, aliases, context_length: length, input_modalities: kinds, replaced_by } = model;
  const others = kinds?.filter((kind) => kind !== "text") ?? [];
  const facts = [
    length === null ? "" : text("models.context", { tokens: formatWhole(length) }),
    ...others,
    aliases.length > 0 ? text("models.alsoNamed", { names: aliases.map(printable).join(", ") }) : "",
  ].filter(Boolean);
  return (
    <>
      <Name text={printable(id)} class="model-name">
        <a href={hrefOf("models", id, period === undefined ? {} : { period })}>{printable(id)}</a>
      </Name>
      {facts.length > 0 ? <span class="cell-note">{facts.join(" · ")}</span> : null}
      {replaced_by === null ? null : (
        <span class="cell-note">{text("models.replacedBy", { model: printable(replaced_by) })}</span>
      )}
    </>
  );
}

export function ModelState({ model }: { model: AdminModel }) {
  const health = healthOf(model);
  return <StateWithReason {...health} reason={health.reason && printable(health.reason)} />;
}

const AGENTS_SHOWN = 2;

function AgentsOf({ model: { id, agents, agent_list } }: { model: AdminModel }) {
  if (agents.total === 0) return <span class="muted">{text("models.noAgents")}</span>;
  const shown = agent_list.slice(0, agents.total > AGENTS_SHOWN + 1 ? AGENTS_SHOWN : AGENTS_SHOWN + 1);
  const rest = agents.total - shown.length;
  return (
    <span class="agent-cell model-agents">
      <span>
        {agents.total === agents.ready
          ? countedText("models.allReady", agents.total)
          : text("models.someReady", { ready: agents.ready, total: agents.total })}
      </span>
      {agents.loaded === null ? null : (
        <span class="cell-note">{text("models.loadedAt", { count: agents.loaded })}</span>
      )}
      {shown.map((agent) => (
        <AgentLink key={agent.id} agent={agent} />
      ))}
      {rest > 0 ? (
        <a class="cell-note" href={hrefOf("models", id)}>
          {countedText("models.moreAgents", rest)}
        </a>
      ) : null}
    </span>
  );
}

/** A link to the agent in the list of the agents. */
export function AgentLink({ agent: { id, name } }: { agent: Pick<ModelAgent, "id" | "name"> }) {
  const shown = printable(name || id);
  return (
    <Name text={shown} class="model-agent">
      <a href={hrefWith("agents", { search: id })}>{shown}</a>
    </Name>
  );
}
