import { api } from "../../api/api.ts";
import type { SettingsAnswer } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { LinkButton } from "../../components/button.tsx";
import { Card, Notice, Tile, Tiles } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatTime, formatUptime } from "../../format.ts";
import { useFetch } from "../../state/use-fetch.ts";

type Setting = SettingsAnswer["settings"][string] & { name: string };

const COLUMNS: readonly Column<Setting>[] = [
  {
    title: "Setting",
    cell: ({ label }) => <span class="mono">{label}</span>,
    sortBy: ({ label }) => label,
    isHeader: true,
  },
  { title: "Value", cell: ({ value }) => <span class="mono setting-value">{value}</span> },
  {
    title: "From",
    cell: ({ from }) => <Badge tone={from === "default" ? "plain" : "accent"}>{from}</Badge>,
    sortBy: ({ from }) => from,
  },
  { title: "About", cell: ({ about }) => <span class="setting-about muted">{about}</span> },
];

export function SettingsPage() {
  const { value, error } = useFetch((signal) => api.settings(signal), []);
  return (
    <>
      <PageHeader
        title="Settings"
        lead="As they are in force. They are changed by flags and variables, at the next start."
      >
        <LinkButton href="/admin/backup" download>
          Download a backup
        </LinkButton>
      </PageHeader>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value ? <SettingsView answer={value} /> : null}
    </>
  );
}

function SettingsView({ answer: { version, started_at, settings } }: { answer: SettingsAnswer }) {
  const rows = Object.entries(settings).map(([name, setting]) => ({ name, ...setting }));
  const given = rows.filter(({ from }) => from !== "default").length;
  return (
    <>
      <Tiles>
        <Tile label="Version" value={version} />
        <Tile
          label="Running for"
          value={formatUptime(Date.now() - Date.parse(started_at))}
          note={`since ${formatTime(started_at)}`}
        />
        <Tile label="Settings given" value={given} note={`of ${rows.length}; the others are defaults`} />
      </Tiles>
      <Card title="Settings in force" isFlush class="settings-card">
        <Table caption="Settings in force" columns={COLUMNS} rows={rows} keyOf={({ name }) => name} />
      </Card>
      <Card title="Backup">
        <p class="muted">
          One file with the database and the keys beside it, taken while the server runs. Whoever has it has
          every user's token: keep it as you keep the admin key. How to restore it is what{" "}
          <code>chatgpt-api-server restore --help</code> says.
        </p>
      </Card>
    </>
  );
}
