import { Badge } from "../../components/badge.tsx";
import { Hint } from "../../components/name.tsx";
import { errorWords } from "../../texts/error-words.ts";
import { text } from "../../texts/texts.ts";

interface Ended {
  outcome: string;
  upstream_status: number | null;
}

/** Shows how a request ended; an upstream's error status too, although the server's part went well. */
export function Result({ request: { outcome, upstream_status } }: { request: Ended }) {
  if (outcome !== "ok")
    return (
      <Badge tone="bad">
        <ErrorName code={outcome} />
      </Badge>
    );
  if (upstream_status !== null && upstream_status >= 400)
    return <Badge tone="warn">{text("requests.status", { status: upstream_status })}</Badge>;
  return <Badge tone="ok">{text("requests.ok")}</Badge>;
}

/** An error in a few words, with its code on hover and for screen readers. */
export function ErrorName({ code }: { code: string }) {
  const words = errorWords(code);
  return <Hint text={words} about={words === code ? "" : code} />;
}
