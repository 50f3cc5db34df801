import type { StreamedText } from "./chat/streamed-text.ts";
import { keepAtEnd } from "./keep-at-end.ts";

interface Drawing {
  /** Draws a part of the text, or all of it. Returns whether the rest of it follows without a pause. */
  draw(): boolean;
  /** Whether there is text that was not drawn. */
  isBehind(): boolean;
  /** No pause follows a part that took less time. */
  cheapMs: number;
}

/** After a part that took long, the text uses at most a third of the browser's time. */
const PAUSE_FACTOR = 2;

/**
 * Draws a text as it grows, at most once per frame, and less often if drawing takes long. Returns a function that ends
 * that, and empties the box.
 */
export function drawInFrames(
  streamed: StreamedText,
  box: HTMLElement,
  { draw, isBehind, cheapMs }: Drawing,
): () => void {
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function drawPart(): void {
    frame = 0;
    const startedAt = performance.now();
    let followsAtOnce = false;
    keepAtEnd(box, () => {
      followsAtOnce = draw();
    });
    const costMs = performance.now() - startedAt;
    const drawRest = () => {
      timer = undefined;
      if (isBehind()) schedule();
    };
    if (followsAtOnce || costMs < cheapMs) drawRest();
    else timer = setTimeout(drawRest, costMs * PAUSE_FACTOR);
  }

  function schedule(): void {
    if (frame === 0 && timer === undefined) frame = requestAnimationFrame(drawPart);
  }

  const unsubscribe = streamed.subscribe(schedule);
  drawPart();
  return () => {
    unsubscribe();
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    box.replaceChildren();
  };
}
