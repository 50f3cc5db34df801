import { type Child, useId } from "hono/jsx/dom";
import { classNames } from "./class-names.ts";
import { hasContent } from "./has-content.ts";

interface CardProps {
  /** Rendered as an `<h2>`. Without a title the card is just a box. */
  title?: string;
  /** Shown to the right of the title. */
  actions?: Child;
  /** Removes the padding, for tables. */
  isFlush?: boolean;
  class?: string;
  children?: Child;
}

export function Card({ title, actions, isFlush, class: own, children }: CardProps) {
  const id = useId();
  return (
    <section class={classNames("card", isFlush && "flush", own)} aria-labelledby={title ? id : null}>
      {title ? (
        <header class="card-head">
          <h2 id={id}>{title}</h2>
          {hasContent(actions) ? <div class="actions">{actions}</div> : null}
        </header>
      ) : null}
      <div class="card-body">{children}</div>
    </section>
  );
}

export type Tone = "ok" | "warn" | "bad" | "accent" | "plain";

/** One large number with a label. */
export function Tile(props: { label: string; value: Child; note?: Child; tone?: Tone }) {
  const { label, value, note, tone = "plain" } = props;
  return (
    <div class={classNames("tile", `tone-${tone}`)}>
      <dt>{label}</dt>
      <dd>
        <span class="tile-value">{value}</span>
        {hasContent(note) ? <span class="tile-note">{note}</span> : null}
      </dd>
    </div>
  );
}

export function Tiles({ children }: { children?: Child }) {
  return <dl class="tiles">{children}</dl>;
}

/** One entry of a `<dl>` of facts: a name, and what is so named. */
export function Fact({ name, children }: { name: string; children?: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Shown in place of an empty list. */
export function EmptyState({ title, children }: { title: string; children?: Child }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** An important sentence: an error, a warning or a note. Screen readers announce errors at once. */
export function Notice({ tone, children }: { tone: Tone; children?: Child }) {
  return (
    <div class={classNames("notice", `tone-${tone}`)} role={tone === "bad" ? "alert" : null}>
      {children}
    </div>
  );
}
