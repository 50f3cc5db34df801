import { api } from "../../api/api.ts";
import type { SettingsAnswer } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { LinkButton } from "../../components/button.tsx";
import { Card, Notice, Tile, Tiles } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatTime, formatUptime } from "../../format.ts";
import { useFetch } from "../../state/use-fetch.ts";

type Certificate = NonNullable<SettingsAnswer["certificate"]>;
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
    title: "Source",
    cell: ({ from }) => <Badge tone={from === "default" ? "plain" : "accent"}>{from}</Badge>,
    sortBy: ({ from }) => from,
  },
  { title: "Description", cell: ({ about }) => <span class="setting-about muted">{about}</span> },
];

export function SettingsPage() {
  const { value, error } = useFetch((signal) => api.settings(signal), []);
  const offersBackup = value === undefined || keepsFile(value);
  return (
    <>
      <PageHeader
        title="Settings"
        lead="The settings in effect. Change them with flags or environment variables, and restart the server."
      >
        {offersBackup ? (
          <LinkButton href="/admin/backup" download>
            Download a backup
          </LinkButton>
        ) : null}
      </PageHeader>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value ? <SettingsView answer={value} /> : null}
    </>
  );
}

/** Whether the data is in the data folder, of which the server makes backups, and not in PostgreSQL. */
const keepsFile = ({ settings: { database } }: SettingsAnswer) => database?.from === "default";

const DAY_MS = 86_400_000;
const NAMES_SHOWN = 3;

/** Shows how long the certificate is valid, and for which host names. */
function CertificateTile({ names, expires_at, renews_at, failure }: Certificate) {
  const days = Math.floor((Date.parse(expires_at) - Date.now()) / DAY_MS);
  const [shown, more] = [names.split(", ").slice(0, NAMES_SHOWN), names.split(", ").length - NAMES_SHOWN];
  const hosts =
    shown.map((name) => name.replace("DNS:", "")).join(", ") + (more > 0 ? ` and ${more} more` : "");
  const renewal = renews_at === null ? "" : `, to be renewed ${formatTime(renews_at)}`;
  return (
    <Tile
      label="Certificate valid for"
      value={days < 0 ? "expired" : `${days} ${days === 1 ? "day" : "days"}`}
      note={`${hosts}; until ${formatTime(expires_at)}${renewal}`}
      tone={days < 0 || failure !== null ? "warn" : "plain"}
    />
  );
}

function SettingsView({ answer }: { answer: SettingsAnswer }) {
  const { version, started_at, certificate, settings } = answer;
  const rows = Object.entries(settings).map(([name, setting]) => ({ name, ...setting }));
  const changed = rows.filter(({ from }) => from !== "default").length;
  return (
    <>
      <Tiles>
        <Tile label="Version" value={version} />
        <Tile
          label="Uptime"
          value={formatUptime(Date.now() - Date.parse(started_at))}
          note={`since ${formatTime(started_at)}`}
        />
        <Tile
          label="Settings changed"
          value={changed}
          note={`of ${rows.length}; the others have their defaults`}
        />
        {certificate ? <CertificateTile {...certificate} /> : null}
      </Tiles>
      {certificate?.failure ? (
        <Notice tone="warn">The certificate was not renewed. {certificate.failure}</Notice>
      ) : null}
      <Card title="Settings in effect" isFlush class="settings-card">
        <Table
          caption="Settings in effect"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ name }) => name}
          isNarrow
        />
      </Card>
      <Card title="Backup">
        {keepsFile(answer) ? (
          <p class="muted">
            A backup is one file with the database and its keys. You can download it while the server runs. It
            contains every user's token, so keep it as safe as the admin key.{" "}
            <code>chatgpt-api-server restore --help</code> explains how to restore it.
          </p>
        ) : (
          <p class="muted">
            The data is in PostgreSQL: back it up with <code>pg_dump</code>, and keep the cluster key or the
            seal key with the backup. Without it the list of users does not show their tokens.
          </p>
        )}
      </Card>
    </>
  );
}
