import { type Child, memo } from "hono/jsx/dom";
import { printable } from "../../../printable.ts";
import { Name } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatClock, formatDuration, formatNumber, formatTime } from "../../format.ts";
import { text } from "../../texts/texts.ts";
import { PrincipalLink } from "../users/principal-link.tsx";
import type { ShownRequest } from "./request-source.ts";
import { Result } from "./result.tsx";

interface RequestTableProps {
  requests: readonly ShownRequest[];
  isAdmin: boolean;
  /** Changes with what the other functions and elements depend on. */
  viewKey: string;
  /** Returns the address of a request's details. */
  hrefOf: (request: ShownRequest) => string;
  empty: Child;
}

/** Draws no row again while the list is the same, as the page looks for newer requests every few seconds. */
export const RequestTable = memo(
  DrawnTable,
  (before, now) =>
    before.requests === now.requests && before.isAdmin === now.isAdmin && before.viewKey === now.viewKey,
);

function DrawnTable({ requests, isAdmin, hrefOf, empty }: RequestTableProps) {
  return (
    <Table
      caption={text("requests.caption")}
      columns={columnsOf(isAdmin, hrefOf)}
      rows={requests}
      keyOf={({ request_id, at }) => `${request_id} ${at}`}
      empty={empty}
    />
  );
}

function columnsOf(isAdmin: boolean, hrefOf: RequestTableProps["hrefOf"]): Column<ShownRequest>[] {
  const ofAdmin: Column<ShownRequest>[] = [
    {
      title: text("requests.user"),
      cell: ({ user = null }) => (
        <span class="name" dir="auto">
          <PrincipalLink user={user} />
        </span>
      ),
    },
    { title: text("requests.agent"), cell: ({ agent = null }) => <AgentName agent={agent} /> },
  ];
  return [
    {
      title: text("requests.arrived"),
      cell: (request) => (
        <a href={hrefOf(request)}>
          <time datetime={request.at}>{formatMoment(request.at)}</time>
          <span class="off-screen"> {text("requests.details")}</span>
        </a>
      ),
      isHeader: true,
    },
    { title: text("requests.result"), cell: (request) => <Result request={request} /> },
    {
      title: text("requests.model"),
      cell: ({ model }) => <Name text={printable(model ?? text("requests.anyModel"))} />,
    },
    ...(isAdmin ? ofAdmin : []),
    {
      title: text("requests.endpoint"),
      cell: ({ surface }) => <span class="mono">{surface}</span>,
      isMinor: true,
    },
    { title: text("requests.queued"), cell: ({ queue_ms }) => formatDuration(queue_ms), isNumber: true },
    {
      title: text("requests.firstByte"),
      cell: ({ first_byte_ms }) => formatDuration(first_byte_ms),
      isNumber: true,
    },
    {
      title: text("requests.duration"),
      cell: ({ duration_ms }) => formatDuration(duration_ms),
      isNumber: true,
    },
    {
      title: text("requests.inputTokens"),
      cell: ({ prompt_tokens }) => formatNumber(prompt_tokens),
      isNumber: true,
    },
    {
      title: text("requests.outputTokens"),
      cell: ({ completion_tokens }) => formatNumber(completion_tokens),
      isNumber: true,
    },
  ];
}

/** Shows the time of day, and the date if it is another day. */
function formatMoment(at: string): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  return isToday ? formatClock(at) : formatTime(at);
}

export function AgentName({ agent }: { agent: { id: string; name: string | null } | null }) {
  if (!agent) return <span class="muted">{text("requests.noAgent")}</span>;
  return <Name text={printable(agent.name || agent.id)} about={agent.id} />;
}
