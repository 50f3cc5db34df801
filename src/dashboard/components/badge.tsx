import type { Child } from "hono/jsx/dom";
import type { Tone } from "./card.tsx";

/** A state in one word. The color only supports the word. */
export function Badge({ tone = "plain", children }: { tone?: Tone; children?: Child }) {
  return <span class={`badge tone-${tone}`}>{children}</span>;
}

interface StateWithReasonProps {
  label: string;
  tone: Tone;
  /** The reason, if there is one to tell. */
  reason?: string | null | undefined;
}

/** A state in one word, with its reason below. */
export function StateWithReason({ label, tone, reason }: StateWithReasonProps) {
  return (
    <span class="agent-cell">
      <span>
        <Badge tone={tone}>{label}</Badge>
      </span>
      {reason ? <span class="agent-sub agent-reason">{reason}</span> : null}
    </span>
  );
}
