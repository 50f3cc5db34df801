import { DAY_MS } from "../../../durations.ts";
import type { SettingsAnswer } from "../../api/types.ts";
import { LinkButton } from "../../components/button.tsx";
import { Card, Notice, Tile, Tiles } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatUptime, formatZoned } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { useSettings } from "../../state/use-settings.ts";
import { code } from "../../texts/code.tsx";
import { countedText, richText, text } from "../../texts/texts.ts";
import { ChangeSettingDialog } from "./change-setting-dialog.tsx";
import { type Setting, settingsOf } from "./setting-row.ts";
import { SettingTable } from "./setting-table.tsx";
import { WEBHOOK } from "./webhook.ts";
import { WebhookDialog } from "./webhook-dialog.tsx";

type Certificate = NonNullable<SettingsAnswer["certificate"]>;

/** The settings in force, of which some can be changed here, and the backup. */
export function SettingsPage() {
  const { answer, error, change } = useSettings();
  const [changingName, setChangingName] = useState<string | undefined>(undefined);
  const changing = answer && settingsOf(answer).find(({ name }) => name === changingName);
  const ChangeDialog = changing?.name === WEBHOOK ? WebhookDialog : ChangeSettingDialog;
  const offersBackup = answer === undefined || keepsFile(answer);
  return (
    <>
      <PageHeader title={text("settings.title")} lead={text("settings.lead")}>
        {offersBackup ? (
          <LinkButton href="/admin/backup" download>
            {text("settings.backup.download")}
          </LinkButton>
        ) : null}
      </PageHeader>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {answer ? <SettingsView answer={answer} onChange={({ name }) => setChangingName(name)} /> : null}
      {changing ? (
        <ChangeDialog setting={changing} change={change} onClose={() => setChangingName(undefined)} />
      ) : null}
    </>
  );
}

/** Whether the data is in the data folder, of which the server makes backups, and not in PostgreSQL. */
const keepsFile = ({ settings: { database } }: SettingsAnswer) => database?.from === "default";

const NAMES_SHOWN = 3;

/** Shows how long the certificate is valid, and for which host names. */
function CertificateTile({ names, expires_at, renews_at, failure }: Certificate) {
  const days = Math.floor((Date.parse(expires_at) - Date.now()) / DAY_MS);
  const [shown, more] = [names.split(", ").slice(0, NAMES_SHOWN), names.split(", ").length - NAMES_SHOWN];
  const listed = shown.map((name) => name.replace("DNS:", "")).join(", ");
  const hosts = more > 0 ? text("settings.certificate.more", { hosts: listed, count: more }) : listed;
  const until = { hosts, until: formatZoned(expires_at) };
  const note =
    renews_at === null
      ? text("settings.certificate.until", until)
      : text("settings.certificate.renewal", { ...until, renewal: formatZoned(renews_at) });
  return (
    <Tile
      label={text("settings.certificate")}
      value={days < 0 ? text("settings.certificate.expired") : countedText("settings.certificate.days", days)}
      note={note}
      tone={days < 0 || failure !== null ? "warn" : "plain"}
    />
  );
}

function SettingsView({
  answer,
  onChange,
}: {
  answer: SettingsAnswer;
  onChange: (setting: Setting) => void;
}) {
  const { version, started_at, certificate } = answer;
  const rows = settingsOf(answer);
  const changed = rows.filter(({ from }) => from !== "default").length;
  return (
    <>
      <Tiles>
        <Tile label={text("settings.version")} value={version} />
        <Tile
          label={text("settings.uptime")}
          value={formatUptime(Date.now() - Date.parse(started_at))}
          note={text("settings.since", { time: formatZoned(started_at) })}
        />
        <Tile
          label={text("settings.changedCount")}
          value={changed}
          note={text("settings.changedOf", { count: rows.length })}
        />
        {certificate ? <CertificateTile {...certificate} /> : null}
      </Tiles>
      {certificate?.failure ? (
        <Notice tone="warn">{text("settings.certificate.failure", { failure: certificate.failure })}</Notice>
      ) : null}
      <SettingTable answer={answer} onChange={onChange} />
      <Backup isFile={keepsFile(answer)} />
    </>
  );
}

function Backup({ isFile }: { isFile: boolean }) {
  return (
    <Card title={text("settings.backup")}>
      <p class="muted">
        {isFile
          ? richText("settings.backup.file", { command: code("chatgpt-api-server restore --help") })
          : richText("settings.backup.database", { command: code("pg_dump") })}
      </p>
    </Card>
  );
}
