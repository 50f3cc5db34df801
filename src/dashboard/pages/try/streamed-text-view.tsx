import { useEffect, useRef } from "hono/jsx/dom";
import { cutAtLines, type StreamedText } from "./streamed-text.ts";

/** A text as it grows. What is in it is shown as it is: nothing is taken for HTML. */
export function StreamedTextView({ flow, class: own }: { flow: StreamedText; class: string }) {
  const box = useRef<HTMLDivElement | null>(null);
  useEffect(() => (box.current ? follow(flow, box.current) : undefined), [flow]);
  return <div class={own} ref={box} />;
}

const PART_LENGTH = 4_000;

/** At a time, so that an answer that comes at once is not drawn at once. */
const DRAWN_LENGTH = 65_536;

/** Setting a long line again takes long; of the browser's time the text is to have a third at most. */
const REST_FACTOR = 2;
const CHEAP_MS = 6;

/** Draws at most once a frame, and less often where drawing takes long. */
function follow(flow: StreamedText, box: HTMLElement): () => void {
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
    const { text } = flow;
    const end = Math.min(text.length, shown + DRAWN_LENGTH);
    keepAtEnd(box, () => append(text.slice(shown, end)));
    shown = end;
    const costMs = performance.now() - startedAt;
    const goOn = () => {
      timer = undefined;
      if (shown < flow.text.length) plan();
    };
    if (costMs < CHEAP_MS) goOn();
    else timer = setTimeout(goOn, costMs * REST_FACTOR);
  }

  function plan(): void {
    if (frame === 0 && timer === undefined) frame = requestAnimationFrame(draw);
  }

  const leave = flow.subscribe(plan);
  draw();
  return () => {
    leave();
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    box.replaceChildren();
  };
}

const NEAR_PX = 48;

/** Scrolls on with what `change` adds, unless somebody reads further up. */
function keepAtEnd(box: HTMLElement, change: () => void): void {
  const scroller = box.closest(".talk");
  const isAtEnd = scroller
    ? scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX
    : false;
  change();
  if (scroller && isAtEnd) scroller.scrollTop = scroller.scrollHeight;
}
