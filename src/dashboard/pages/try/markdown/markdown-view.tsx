import { useRef } from "hono/jsx/dom";
import { useEffect } from "../../../state/hooks.ts";
import type { StreamedText } from "../chat/streamed-text.ts";
import { drawInFrames } from "../draw-in-frames.ts";
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

/** Draws the text while it grows. Returns a function that ends that. */
function follow(streamed: StreamedText, box: HTMLElement): () => void {
  const reader = createBlockReader();
  const write = createWriter(box, createTreeBuilder(reader.links));
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

  return drawInFrames(streamed, box, {
    draw() {
      drawnLength = streamed.text.length;
      return !drawFor(FRAME_MS);
    },
    isBehind: () => drawing !== undefined || streamed.text.length > drawnLength,
    cheapMs: FRAME_MS / 2,
  });
}
