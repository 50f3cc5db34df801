import { formatClock } from "../format.ts";
import { text } from "../texts/texts.ts";
import { Notice } from "./card.tsx";

/** Says that what is shown is not of now, because the server does not answer. */
export function StaleNotice({ at }: { at: string | undefined }) {
  return (
    <Notice tone="warn">
      {at ? text("stale.noticeSince", { time: formatClock(at) }) : text("stale.notice")}
    </Notice>
  );
}
