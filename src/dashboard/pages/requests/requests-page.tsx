import { useRef } from "hono/jsx/dom";
import { Button, LinkButton } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatTime } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { hrefOf } from "../../state/route.ts";
import { session } from "../../state/session.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { usePoll } from "../../state/use-poll.ts";
import { useStore } from "../../state/use-store.ts";
import { text } from "../../texts/texts.ts";
import { RequestFilters } from "./filter-bar.tsx";
import { countNew } from "./new-requests.ts";
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
  const key = JSON.stringify(list);
  const tail = useTail(key);
  const { value, error, reload } = useFetch(
    async (signal) =>
      tail.admit(await source.load({ ...listQuery(view, Date.now()), limit: String(PAGE_ROWS) }, signal)),
    [source, key],
  );
  usePoll(reload, TAIL_EVERY_MS, view.before === undefined && open === undefined);
  return (
    <>
      <PageHeader title={text("requests.title")} lead={text("requests.lead")}>
        {view.before === undefined ? (
          <Button onClick={() => tail.toggle(reload)}>
            {text(tail.isPaused ? "requests.resume" : "requests.pause")}
          </Button>
        ) : null}
        <LinkButton href={source.csvPath(listQuery(view, Date.now()))} download>
          {text("requests.csv")}
        </LinkButton>
      </PageHeader>
      <RequestFilters view={view} isAdmin={source.isAdmin} requests={value?.requests ?? []} />
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value && (error === undefined || tail.shows(key)) ? (
        <Card isFlush class="requests short-cards">
          <RequestTable
            viewKey={key}
            requests={value.requests}
            isAdmin={source.isAdmin}
            hrefOf={({ request_id, at }) => requestsHref({ ...view, open: request_id, at })}
            empty={<NoRequests page={value} view={view} />}
          />
          <PageLinks page={value} view={view} />
          <NewRequests news={tail.news} onShow={() => tail.show(reload)} />
        </Card>
      ) : null}
      {open ? <RequestPanel key={open} source={source} view={view} page={value} /> : null}
    </>
  );
}

/**
 * Holds a newer list back while the one that is shown is paused or being read, and counts what is new in it. Rows must
 * not move away from the pointer, also if the list was on its way when the pointer came.
 */
function useTail(key: string) {
  const [isPaused, setPaused] = useState(false);
  const [news, setNews] = useState<string | undefined>(undefined);
  const shown = useRef<{ key: string; page: ShownPage } | undefined>(undefined);
  const mayChange = useRef(false);
  const latest = useRef(isPaused);
  latest.current = isPaused;
  const show = (reload: () => void) => {
    mayChange.current = true;
    reload();
  };
  return {
    isPaused,
    news,
    /** Returns the list to show: this one, or the one that is shown already. */
    admit(page: ShownPage): ShownPage {
      const kept = shown.current?.key === key ? shown.current.page : undefined;
      const isHeld = kept !== undefined && !mayChange.current && (latest.current || isBeingRead());
      mayChange.current = false;
      setNews(isHeld ? countNew(kept, page) : undefined);
      if (isHeld) return kept;
      shown.current = { key, page };
      return page;
    },
    /** Whether the list that is shown is of this view: the server may have refused it. */
    shows: (view: string) => shown.current?.key === view,
    show,
    toggle(reload: () => void): void {
      setPaused(!isPaused);
      if (isPaused) show(reload);
    },
  };
}

/** Whether the pointer or the focus is in the list. */
const isBeingRead = () => document.querySelector(".requests tbody:is(:hover, :focus-within)") !== null;

function NewRequests({ news, onShow }: { news: string | undefined; onShow: () => void }) {
  return (
    <div class="new-requests" role="status">
      {news === undefined ? null : (
        <Button isSmall onClick={onShow}>
          {text("requests.new", { count: news })}
        </Button>
      )}
    </div>
  );
}

function NoRequests({ page: { next }, view }: { page: ShownPage; view: RequestView }) {
  if (next === null && Object.values(listQuery(view, 0)).every((value) => value === undefined))
    return (
      <EmptyState title={text("requests.noneYet")}>
        <LinkButton href={hrefOf("try")}>{text("nav.try")}</LinkButton>
      </EmptyState>
    );
  if (next === null)
    return (
      <EmptyState title={text("requests.none")}>
        <p>{text("requests.none.hint")}</p>
      </EmptyState>
    );
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
