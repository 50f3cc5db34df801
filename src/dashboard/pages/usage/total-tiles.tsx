import type { UsageEntry } from "../../api/types.ts";
import { Tile, Tiles } from "../../components/card.tsx";
import { formatDuration, formatShare, formatShort, formatShortMoney, formatWhole } from "../../format.ts";
import { countedText, text } from "../../texts/texts.ts";
import { refusalText, tokenNotes, totalOf } from "./usage-totals.ts";

/** Returns the address of the requests of the period, or of those with a result. */
export type RequestsOf = (outcome?: string) => string;

interface TotalTilesProps {
  entries: readonly UsageEntry[];
  currency: string | null;
  requestsOf: RequestsOf;
}

/** The totals of a period. */
export function TotalTiles({ entries, currency, requestsOf }: TotalTilesProps) {
  const total = totalOf(entries);
  const { asks, failed, refused, prompt_tokens, completion_tokens, duration_ms, cost, unpriced, ...parts } =
    total;
  const notes = tokenNotes(parts);
  return (
    <Tiles>
      <Tile
        label={text("usage.requests")}
        value={<a href={requestsOf()}>{formatShort(asks)}</a>}
        note={
          asks > 0
            ? text("usage.averageDuration", { duration: formatDuration(duration_ms / asks) })
            : text("usage.noneAccepted")
        }
      />
      <Tile
        label={text("usage.failed")}
        value={<a href={requestsOf("failed")}>{formatShort(failed)}</a>}
        note={text("usage.failedShare", { share: formatShare(failed, asks) })}
        tone={failed > 0 ? "bad" : "plain"}
      />
      <Tile
        label={text("usage.refused")}
        value={formatShort(refused)}
        note={refusalText(entries) || text("usage.noneRefused")}
        tone={refused > 0 ? "warn" : "plain"}
      />
      {currency === null ? null : (
        <Tile
          label={text("usage.cost")}
          value={formatShortMoney(cost, currency)}
          note={unpricedNote(unpriced)}
          tone={unpriced > 0 ? "warn" : "plain"}
        />
      )}
      <Tile label={text("usage.inputTokens")} value={formatShort(prompt_tokens)} note={notes.input} />
      <Tile label={text("usage.outputTokens")} value={formatShort(completion_tokens)} note={notes.output} />
    </Tiles>
  );
}

/** Says how many requests are not in a cost. */
export const unpricedNote = (unpriced: number) =>
  unpriced > 0 ? countedText("usage.unpriced", unpriced, { count: formatWhole(unpriced) }) : undefined;
