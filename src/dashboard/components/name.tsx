import type { Child } from "hono/jsx/dom";
import { classNames } from "./class-names.ts";

interface NameProps {
  text: string;
  /** Said about it, beside the whole name: such as an id. */
  about?: string;
  /** Is shown in place of the text, and takes the focus itself: a link, for example. */
  children?: Child;
  class?: string;
}

/** A shorter name has room in every table. */
const CUT_LENGTH = 12;
/** A shorter name has room in most tables, and takes no focus, as each stop is one more for the keyboard. */
const LONG_LENGTH = 24;

/**
 * A name that others chose, of any length. It takes one line, and ends with an ellipsis where there is no room. The whole
 * name is shown on hover, and while it or the link in it has the focus.
 */
export function Name({ text, about, children, class: own }: NameProps) {
  const isLong = text.length > LONG_LENGTH;
  const title = [text.length > CUT_LENGTH ? text : "", about ?? ""].filter(Boolean).join("\n");
  return (
    <span
      class={classNames("name", own)}
      // Cuts the end of a name that is written from right to left, too.
      dir="auto"
      {...(title && { title })}
      {...(isLong && children === undefined && { tabindex: 0 })}
    >
      {children ?? text}
    </span>
  );
}

/** A longer text takes more than the lines that are shown. */
const LONG_TEXT_LENGTH = 120;

/** A text of any length in a table. It takes a few lines. The whole of it is shown on hover, and while it has the focus. */
export function LongText({ text, class: own }: { text: string; class: string }) {
  return (
    <span
      class={classNames("long-text", own)}
      {...(text.length > LONG_TEXT_LENGTH && { tabindex: 0, title: text })}
    >
      {text}
    </span>
  );
}

/** A short text with a longer explanation, for the pointer and for screen readers. */
export function Hint({ text, about }: { text: string; about: string }) {
  if (about === "") return <>{text}</>;
  return (
    <span title={about}>
      {text}
      <span class="off-screen"> ({about})</span>
    </span>
  );
}
