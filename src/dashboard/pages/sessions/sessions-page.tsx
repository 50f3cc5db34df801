import { api } from "../../api/api.ts";
import type { SessionRow, User } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Name } from "../../components/name.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { showToast } from "../../components/toast.tsx";
import { formatTime } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { session } from "../../state/session.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { useStore } from "../../state/use-store.ts";
import { countedText, text } from "../../texts/texts.ts";
import { PrincipalLink } from "../users/principal-link.tsx";
import { browserName } from "./browser-name.ts";

/** The browsers that are signed in: everyone's for administrators, and users' own for them. */
export function SessionsPage() {
  const current = useStore(session);
  return current.state === "in" ? <SessionList isAdmin={current.who.role === "admin"} /> : null;
}

function SessionList({ isAdmin }: { isAdmin: boolean }) {
  const { value, error, reload } = useFetch((signal) => api.sessions(signal), []);
  const { value: users = [] } = useFetch(
    async (signal) => (isAdmin ? await api.users(signal) : []),
    [isAdmin],
  );
  const [ending, setEnding] = useState<readonly SessionRow[] | undefined>(undefined);
  const others = value?.filter(({ is_current }) => !is_current) ?? [];
  return (
    <>
      <PageHeader
        title={text("sessions.title")}
        lead={text(isAdmin ? "sessions.lead.admin" : "sessions.lead.user")}
      >
        {others.length > 0 ? (
          <Button onClick={() => setEnding(others)}>{text("sessions.endOthers")}</Button>
        ) : null}
      </PageHeader>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value ? (
        <Card isFlush class="short-titles">
          <Table
            caption={text("sessions.caption")}
            columns={columnsFor(isAdmin, users, (row) => setEnding([row]))}
            rows={value}
            keyOf={({ id }) => id}
            empty={<EmptyState title={text("sessions.empty")} />}
          />
        </Card>
      ) : null}
      {ending ? (
        <ConfirmDialog
          title={countedText("sessions.end.title", ending.length)}
          action={text("sessions.end.action")}
          onConfirm={() => endAll(ending)}
          onClose={() => {
            setEnding(undefined);
            reload();
          }}
        >
          <p>{countedText("sessions.end.about", ending.length)}</p>
        </ConfirmDialog>
      ) : null}
    </>
  );
}

async function endAll(rows: readonly SessionRow[]): Promise<void> {
  for (const { id } of rows) await api.endSession(id);
  showToast(countedText("sessions.ended", rows.length), "ok");
}

function columnsFor(
  isAdmin: boolean,
  users: readonly User[],
  onEnd: (row: SessionRow) => void,
): readonly Column<SessionRow>[] {
  const who: Column<SessionRow> = {
    title: text("sessions.who"),
    cell: (row) => <Who row={row} users={users} />,
  };
  return [
    { title: text("sessions.browser"), cell: (row) => <BrowserCell row={row} />, isHeader: true },
    ...(isAdmin ? [who] : []),
    {
      title: text("sessions.address"),
      cell: ({ address }) => <span class="mono">{address ?? "–"}</span>,
      sortBy: ({ address }) => address,
    },
    {
      title: text("sessions.since"),
      cell: ({ created_at }) => formatTime(created_at),
      sortBy: ({ created_at }) => created_at,
    },
    {
      title: text("sessions.until"),
      cell: ({ expires_at }) => formatTime(expires_at),
      sortBy: ({ expires_at }) => expires_at,
    },
    {
      title: text("sessions.actions"),
      // Signing out ends the session in use.
      cell: (row) =>
        row.is_current ? (
          <Badge tone="ok">{text("sessions.current")}</Badge>
        ) : (
          <Button
            isSmall
            label={text("sessions.endOf", { browser: labelOf(row) })}
            onClick={() => onEnd(row)}
          >
            {text("sessions.end")}
          </Button>
        ),
    },
  ];
}

function labelOf({ user_agent }: SessionRow): string {
  if (user_agent === null) return text("sessions.unknown");
  const { browser, system } = browserName(user_agent);
  if (browser === undefined) return user_agent;
  return system === undefined ? browser : text("sessions.browserOn", { browser, system });
}

function BrowserCell({ row }: { row: SessionRow }) {
  return (
    <Name text={labelOf(row)} about={row.user_agent ?? text("sessions.unknown")}>
      {labelOf(row)}
    </Name>
  );
}

function Who({ row, users }: { row: SessionRow; users: readonly User[] }) {
  if (row.user_id === null) return <>{text("frame.administrator")}</>;
  const known = users.find(({ user_id }) => user_id === row.user_id);
  return <PrincipalLink user={known ?? { user_id: row.user_id, name: null }} />;
}
