import { useRef } from "hono/jsx/dom";
import { useEffect } from "../../../state/hooks.ts";
import type { StreamedText } from "../chat/streamed-text.ts";
import { keepAtEnd } from "../keep-at-end.ts";
import { createBlockReader, type Step } from "./block-reader.ts";
import { createCodeBlock, createTable, toDom } from "./dom.tsx";
import { createTreeBuilder } from "./tree.ts";

/** Shows an answer in Markdown as it grows. */
export function MarkdownView({ streamed }: { streamed: StreamedText }) {
  const box = useRef<HTMLDivElement | null>(null);
  useEffect(() => (box.current ? follow(streamed, box.current) : undefined), [streamed]);
  return <div class="md" ref={box} />;
}

/** The time that a frame may take. A step takes a few milliseconds. */
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

  /** Returns whether all of the text has been read. */
  function drawFor(maxMs: number): boolean {
    const endsAt = performance.now() + maxMs;
    do {
      const step = reader.read(streamed.text);
      if (!step) return true;
      write(step);
    } while (performance.now() < endsAt);
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

/** The blocks of a part of the answer, the items of lists among them. The browser lays out only the parts in sight, and the last one as it grows. */
const PART_BLOCKS = 60;

/** Returns a function that appends nodes to the last part of the box, or begins another one. */
function createParts(box: HTMLElement) {
  let part: HTMLElement | undefined;
  const isFull = () => {
    const items = part?.querySelectorAll(":scope > *, :scope > * > li").length ?? 0;
    return items >= PART_BLOCKS;
  };
  return (...nodes: Node[]): void => {
    for (const node of nodes) {
      if (!part || isFull()) {
        part = document.createElement("div");
        part.className = "md-part";
        box.append(part);
      }
      part.append(node);
    }
  };
}

/** Returns a function that puts what was read into the box. */
function createWriter(box: HTMLElement, tree: ReturnType<typeof createTreeBuilder>) {
  const append = createParts(box);
  let open: Node[] = [];
  let code: ReturnType<typeof createCodeBlock> | undefined;
  let table: ReturnType<typeof createTable> | undefined;
  let plain: HTMLElement | undefined;

  function replaceOpen(closed: Extract<Step, { closed: unknown }>["closed"]): void {
    plain = undefined;
    for (const node of open) node.parentNode?.removeChild(node);
    open = [];
    const nodes = tree.blocks(closed);
    const last = nodes.at(-1);
    // Rows of the last table may follow.
    table = typeof last === "object" && last.tag === "table" ? createTable(last) : undefined;
    append(...(table ? nodes.slice(0, -1) : nodes).map(toDom), ...(table ? [table.element] : []));
  }

  function writePlain(text: string): void {
    if (!plain) {
      replaceOpen([]);
      plain = document.createElement("div");
      plain.className = "md-plain";
      plain.setAttribute("dir", "auto");
      append(plain);
    }
    const part = document.createElement("div");
    part.append(text);
    plain.append(part);
  }

  return (step: Step): void => {
    if (step.type === "blocks") {
      replaceOpen(step.closed);
      open = tree.openBlocks(step.open).map(toDom);
      append(...open);
    } else if (step.type === "fence") {
      replaceOpen(step.closed);
      code = createCodeBlock(step.lang);
      append(code.element);
    } else if (step.type === "code") code?.append(step.text);
    else if (step.type === "rows") table?.hide(step.count);
    else writePlain(step.text);
  };
}
