import { useRef } from "hono/jsx/dom";
import { useEffect } from "../../../state/hooks.ts";
import type { StreamedText } from "../chat/streamed-text.ts";
import { keepAtEnd } from "../keep-at-end.ts";
import { createBlockReader } from "./block-reader.ts";
import { SLICE_COST } from "./slices.ts";
import { createTreeBuilder } from "./tree.ts";
import { createWriter } from "./writer.ts";

/** Shows an answer in Markdown as it grows. */
export function MarkdownView({ streamed }: { streamed: StreamedText }) {
  const box = useRef<HTMLDivElement | null>(null);
  useEffect(() => (box.current ? follow(streamed, box.current) : undefined), [streamed]);
  return <div class="md" ref={box} />;
}

/** The time that a frame may take before the browser lays out what was drawn, which is bounded by `SLICE_COST`. */
const FRAME_MS = 10;
/** A block that is read again with each piece may use at most a third of the browser's time. */
const REST_FACTOR = 2;

/** Draws at most once per frame, and less often if drawing takes long. */
function follow(streamed: StreamedText, box: HTMLElement): () => void {
  const reader = createBlockReader();
  const write = createWriter(box, createTreeBuilder(reader.links));
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let drawnLength = 0;
  let drawing: Generator<number, void> | undefined;

  /** Draws all of the text, slice by slice. */
  function* slices(): Generator<number, void> {
    for (let step = reader.read(streamed.text); step; step = reader.read(streamed.text)) yield* write(step);
  }

  /** Returns whether all of the text has been drawn. */
  function drawFor(maxMs: number): boolean {
    const endsAt = performance.now() + maxMs;
    let cost = 0;
    do {
      drawing ??= slices();
      const { done, value } = drawing.next();
      if (done) {
        drawing = undefined;
        return true;
      }
      cost += value;
    } while (cost < SLICE_COST && performance.now() < endsAt);
    return false;
  }

  function draw(): void {
    frame = 0;
    const startedAt = performance.now();
    drawnLength = streamed.text.length;
    let isDone = true;
    keepAtEnd(box, () => {
      isDone = drawFor(FRAME_MS);
    });
    const costMs = performance.now() - startedAt;
    const drawRest = () => {
      timer = undefined;
      if (!isDone || streamed.text.length > drawnLength) scheduleDraw();
    };
    if (!isDone || costMs < FRAME_MS / 2) drawRest();
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
