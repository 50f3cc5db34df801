import { formatClock } from "../format.ts";
import { Notice } from "./card.tsx";

/** Says that what is shown is not of now, because the server does not answer. */
export function StaleNotice({ at }: { at: string | undefined }) {
  return (
    <Notice tone="warn">
      The server does not answer. {at ? `What is shown is from ${formatClock(at)}. ` : ""}The page keeps
      trying.
    </Notice>
  );
}
