import { useRef } from "hono/jsx/dom";
import { useEffect } from "../../state/hooks.ts";
import { cutAtLines, type StreamedText } from "./chat/streamed-text.ts";
import { drawInFrames } from "./draw-in-frames.ts";

/** Shows a text as it grows. The text is never interpreted as HTML. */
export function StreamedTextView({ streamed, class: own }: { streamed: StreamedText; class: string }) {
  const box = useRef<HTMLDivElement | null>(null);
  useEffect(() => (box.current ? follow(streamed, box.current) : undefined), [streamed]);
  return <div class={own} ref={box} />;
}

const PART_LENGTH = 4_000;

/** The length drawn at a time, so that a long answer that arrives at once does not block the page. */
const DRAWN_LENGTH = 65_536;

/** Laying out a long line again takes longer. */
const CHEAP_MS = 6;

/** Draws the text while it grows. Returns a function that ends that. */
function follow(streamed: StreamedText, box: HTMLElement): () => void {
  let shown = 0;
  let last: HTMLElement | undefined;
  let lastLength = 0;

  function append(text: string): void {
    for (const [index, part] of cutAtLines(text, PART_LENGTH - lastLength, PART_LENGTH).entries()) {
      if (index > 0 || !last) {
        last = document.createElement("div");
        lastLength = 0;
        box.append(last);
      }
      last.append(part);
      lastLength += part.length;
    }
  }

  return drawInFrames(streamed, box, {
    draw() {
      const { text } = streamed;
      const end = Math.min(text.length, shown + DRAWN_LENGTH);
      append(text.slice(shown, end));
      shown = end;
      return false;
    },
    isBehind: () => shown < streamed.text.length,
    cheapMs: CHEAP_MS,
  });
}
