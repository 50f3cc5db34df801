import { useRef } from "hono/jsx/dom";
import { useEffect } from "../../state/hooks.ts";
import { cutAtLines, type StreamedText } from "./chat/streamed-text.ts";
import { keepAtEnd } from "./keep-at-end.ts";

/** Shows a text as it grows. The text is never interpreted as HTML. */
export function StreamedTextView({ streamed, class: own }: { streamed: StreamedText; class: string }) {
  const box = useRef<HTMLDivElement | null>(null);
  useEffect(() => (box.current ? follow(streamed, box.current) : undefined), [streamed]);
  return <div class={own} ref={box} />;
}

const PART_LENGTH = 4_000;

/** The length drawn at a time, so that a long answer that arrives at once does not block the page. */
const DRAWN_LENGTH = 65_536;

/** Laying out a long line again takes long. The text may use at most a third of the browser's time. */
const REST_FACTOR = 2;
const CHEAP_MS = 6;

/** Draws at most once per frame, and less often if drawing takes long. */
function follow(streamed: StreamedText, box: HTMLElement): () => void {
  let shown = 0;
  let last: HTMLElement | undefined;
  let lastLength = 0;
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

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

  function draw(): void {
    frame = 0;
    const startedAt = performance.now();
    const { text } = streamed;
    const end = Math.min(text.length, shown + DRAWN_LENGTH);
    keepAtEnd(box, () => append(text.slice(shown, end)));
    shown = end;
    const costMs = performance.now() - startedAt;
    const drawRest = () => {
      timer = undefined;
      if (shown < streamed.text.length) scheduleDraw();
    };
    if (costMs < CHEAP_MS) drawRest();
    else timer = setTimeout(drawRest, costMs * REST_FACTOR);
  }

  function scheduleDraw(): void {
    if (frame === 0 && timer === undefined) frame = requestAnimationFrame(draw);
  }

  const unsubscribe = streamed.subscribe(scheduleDraw);
  draw();
  return () => {
    unsubscribe();
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    box.replaceChildren();
  };
}
