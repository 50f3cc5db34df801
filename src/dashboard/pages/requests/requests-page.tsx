import { Button, LinkButton } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatTime } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { session } from "../../state/session.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { usePoll } from "../../state/use-poll.ts";
import { useStore } from "../../state/use-store.ts";
import { text } from "../../texts/texts.ts";
import { RequestFilters } from "./filter-bar.tsx";
import { listQuery, type RequestView, readView, requestsHref } from "./request-filter.ts";
import { RequestPanel } from "./request-panel.tsx";
import { ALL_REQUESTS, OWN_REQUESTS, type RequestSource, type ShownPage } from "./request-source.ts";
import { RequestTable } from "./request-table.tsx";

const PAGE_ROWS = 50;
const TAIL_EVERY_MS = 2_000;

/** Every kept request. Administrators see those of everyone, and users their own. */
export function RequestsPage({ query }: { query: URLSearchParams }) {
  const current = useStore(session);
  if (current.state !== "in") return null;
  const source = current.who.user ? OWN_REQUESTS : ALL_REQUESTS;
  return <RequestList source={source} view={readView(query)} />;
}

function RequestList({ source, view }: { source: RequestSource; view: RequestView }) {
  const { open, at: _, ...list } = view;
  const { value, error, reload } = useFetch(
    (signal) => source.load({ ...listQuery(view, Date.now()), limit: String(PAGE_ROWS) }, signal),
    [source, JSON.stringify(list)],
  );
  const tail = useTail(reload, view.before === undefined && open === undefined);
  return (
    <>
      <PageHeader title={text("requests.title")} lead={text("requests.lead")}>
        {view.before === undefined ? (
          <Button onClick={tail.toggle}>{text(tail.isPaused ? "requests.resume" : "requests.pause")}</Button>
        ) : null}
        <LinkButton href={source.csvPath(listQuery(view, Date.now()))} download>
          {text("requests.csv")}
        </LinkButton>
      </PageHeader>
      <RequestFilters view={view} isAdmin={source.isAdmin} requests={value?.requests ?? []} />
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value ? (
        <Card isFlush class="requests">
          <RequestTable
            requests={value.requests}
            isAdmin={source.isAdmin}
            hrefOf={({ request_id, at }) => requestsHref({ ...view, open: request_id, at })}
            empty={<NoRequests page={value} view={view} />}
          />
          <PageLinks page={value} view={view} />
        </Card>
      ) : null}
      {open ? <RequestPanel key={open} source={source} view={view} page={value} /> : null}
    </>
  );
}

/** Loads the list again every few seconds, unless it is paused, or not the newest page. */
function useTail(reload: () => void, isNewest: boolean) {
  const [isPaused, setPaused] = useState(false);
  usePoll(
    () => {
      if (!isBeingRead()) reload();
    },
    TAIL_EVERY_MS,
    isNewest && !isPaused,
  );
  return { isPaused, toggle: () => setPaused((before) => !before) };
}

/** Whether the pointer or the focus is in the list: rows must not move away from it. */
const isBeingRead = () => document.querySelector(".requests tbody:is(:hover, :focus-within)") !== null;

function NoRequests({ page: { next }, view }: { page: ShownPage; view: RequestView }) {
  if (next === null) return <EmptyState title={text("requests.none")} />;
  return (
    <EmptyState title={text("requests.noneSince", { time: formatTime(timeIn(next)) })}>
      <LinkButton href={requestsHref({ ...view, before: next })}>{text("requests.searchOlder")}</LinkButton>
    </EmptyState>
  );
}

function PageLinks({ page: { requests, next }, view }: { page: ShownPage; view: RequestView }) {
  const isLast = next === null || requests.length === 0;
  if (view.before === undefined && isLast) return null;
  return (
    <nav class="row pages" aria-label={text("requests.pages")}>
      {view.before === undefined ? null : (
        <LinkButton isSmall href={requestsHref({ ...view, before: undefined })}>
          {text("requests.newest")}
        </LinkButton>
      )}
      {isLast ? null : (
        <LinkButton isSmall href={requestsHref({ ...view, before: next })}>
          {text("requests.older")}
        </LinkButton>
      )}
    </nav>
  );
}

/** Returns the time in the place at which a page begins, in milliseconds since 1970. */
const timeIn = (place: string) => Number(place.split(".")[0]);
