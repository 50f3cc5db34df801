import type { Child } from "hono/jsx/dom";
import type { Tone } from "./card.tsx";

/** A state in one word. The color only supports the word. */
export function Badge({ tone = "plain", children }: { tone?: Tone; children?: Child }) {
  return <span class={`badge tone-${tone}`}>{children}</span>;
}
