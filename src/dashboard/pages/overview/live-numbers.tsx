import type { Child } from "hono/jsx/dom";
import { Tile, Tiles } from "../../components/card.tsx";
import { formatDuration, formatNumber, formatShare, formatWhole } from "../../format.ts";
import { type LiveOverview, median, sum } from "../../state/history.ts";
import { hrefOf } from "../../state/route.ts";
import { countedText, text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";

const MINUTE_S = 60;

/** The numbers of now, and of the last minutes. */
export function LiveNumbers({ overview: { agents, slots, queue, history } }: { overview: LiveOverview }) {
  const { series } = history;
  const failed = sum(series.failed);
  const ended = failed + sum(series.ok);
  const asks = sum(series.asks, MINUTE_S);
  const firstByte = median(series.first_byte_ms, MINUTE_S);
  return (
    <Tiles>
      <Tile
        label={text("overview.tiles.agents")}
        value={formatNumber(agents.connected)}
        note={acceptingText(agents)}
        tone={agents.failing ? "bad" : agents.accepting > 0 ? "plain" : "warn"}
      />
      <Tile
        label={text("overview.tiles.slots")}
        value={`${formatWhole(slots.in_use)} / ${formatWhole(slots.total)}`}
        note={slotsText(slots)}
      />
      <Tile
        label={text("overview.tiles.waiting")}
        value={formatNumber(queue.length)}
        note={
          queue.length > 0
            ? text("overview.tiles.oldest", { time: formatDuration(queue.oldest_wait_ms) })
            : text("overview.tiles.noneWaiting")
        }
        tone={queue.length > 0 ? "warn" : "plain"}
      />
      <Tile
        label={text("overview.tiles.rate")}
        value={linked(formatNumber(asks), asks > 0 && requestsHref({ period: "15m" }))}
        note={text("overview.tiles.rateNote")}
      />
      <Tile
        label={text("overview.tiles.firstByte")}
        value={linked(formatDuration(firstByte), firstByte !== undefined && hrefOf("traffic"))}
        note={text("overview.tiles.firstByteNote")}
      />
      <Tile
        label={text("overview.tiles.failed")}
        value={linked(formatNumber(failed), failed > 0 && requestsHref({ period: "15m", outcome: "failed" }))}
        note={failedText(failed, ended)}
        tone={failed > 0 ? "bad" : "plain"}
      />
    </Tiles>
  );
}

/** Links a number to what it counts, unless there is nothing to see. */
const linked = (shown: string, href: string | false): Child => (href ? <a href={href}>{shown}</a> : shown);

function slotsText({ total, in_use }: LiveOverview["slots"]): string {
  if (total === 0) return text("overview.tiles.noSlots");
  return text("overview.tiles.slotsInUse", { share: formatShare(in_use, total) });
}

function failedText(failed: number, ended: number): string {
  if (ended === 0) return text("overview.tiles.noRequests");
  return countedText("overview.tiles.failedShare", ended, {
    share: formatShare(failed, ended),
    count: formatWhole(ended),
  });
}

function acceptingText({ connected, accepting, failing }: LiveOverview["agents"]): string {
  if (connected === 0) return text("overview.tiles.noAgents");
  if (failing?.length === connected) return text("overview.tiles.allFail");
  if (failing) return text("overview.tiles.someFail", { count: failing.length });
  if (accepting === connected) return text("overview.tiles.allAccept");
  return text("overview.tiles.someAccept", { count: formatNumber(accepting) });
}
