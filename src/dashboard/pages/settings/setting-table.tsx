import type { SettingsAnswer } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Button, LinkButton } from "../../components/button.tsx";
import { Card, EmptyState } from "../../components/card.tsx";
import { Checkbox, Field } from "../../components/field.tsx";
import { LongText } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatTime } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { hrefOf } from "../../state/route.ts";
import { type TextKey, text } from "../../texts/texts.ts";
import { findSettings, numberForm, pageOf, type Setting, settingsOf, variableOf } from "./setting-row.ts";
import { WEBHOOK } from "./webhook.ts";

/** All settings, with a search, and a button beside those that can be changed here. */
export function SettingTable({
  answer,
  onChange,
}: {
  answer: SettingsAnswer;
  onChange: (setting: Setting) => void;
}) {
  const [query, setQuery] = useState("");
  const [isChangedOnly, setChangedOnly] = useState(false);
  const rows = findSettings(settingsOf(answer), query).filter(
    ({ from }) => !isChangedOnly || from !== "default",
  );
  return (
    <Card title={text("settings.inEffect")} isFlush class="settings-card short-titles">
      <div class="setting-filters">
        <Field label={text("settings.search")} name="search" type="search" value={query} onInput={setQuery} />
        <Checkbox label={text("settings.changedOnly")} name="changed" onInput={setChangedOnly} />
      </div>
      <Table
        caption={text("settings.inEffect")}
        columns={columnsFor(onChange)}
        rows={rows}
        keyOf={({ name }) => name}
        empty={<EmptyState title={text("settings.noneFound")} />}
      />
    </Card>
  );
}

const columnsFor = (onChange: (setting: Setting) => void): readonly Column<Setting>[] => [
  {
    title: text("settings.setting"),
    cell: ({ label }) => <span class="mono">{label}</span>,
    sortBy: ({ label }) => label,
    isHeader: true,
  },
  {
    title: text("settings.value"),
    cell: ({ value }) => <LongText text={value} class="mono setting-value" />,
  },
  {
    title: text("settings.source"),
    cell: (row) => <Source row={row} />,
    sortBy: ({ from }) => from,
  },
  { title: text("settings.change"), cell: (row) => <Change row={row} onChange={onChange} /> },
  {
    title: text("settings.description"),
    cell: ({ about, label }) => (
      <span class="setting-about muted">
        {about} {variableOf(label) ? <code>{variableOf(label)}</code> : null}
      </span>
    ),
  },
];

function Source({ row: { from, changed_at } }: { row: Setting }) {
  const isHere = from === "database";
  return (
    <span {...(isHere && changed_at && { title: formatTime(changed_at) })}>
      <Badge tone={from === "default" ? "plain" : "accent"}>{isHere ? text("settings.here") : from}</Badge>
    </span>
  );
}

/** Why some settings need a restart, where others like them do not. */
const RESTARTS: Readonly<Record<string, TextKey>> = { responsesDays: "settings.restart.responsesDays" };

function Change({ row, onChange }: { row: Setting; onChange: (setting: Setting) => void }) {
  const page = pageOf(row);
  if (!row.changeable) return <span class="muted">{text(RESTARTS[row.name] ?? "settings.restart")}</span>;
  if (page !== undefined) {
    return (
      <LinkButton href={hrefOf(page.path)} isSmall>
        {text("settings.open", { page: text(page.title) })}
      </LinkButton>
    );
  }
  if (!numberForm(row) && row.name !== WEBHOOK) return <span class="muted">{text("settings.byApi")}</span>;
  return (
    <Button isSmall label={text("settings.change.label", { label: row.label })} onClick={() => onChange(row)}>
      {text("settings.change")}
    </Button>
  );
}
