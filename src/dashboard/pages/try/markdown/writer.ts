import type { Tokens } from "marked";
import type { Step } from "./block-reader.ts";
import { createCodeBlock, createTable, toDom } from "./dom.tsx";
import { costOf, rowCost, slicesOf, textCost } from "./slices.ts";
import type { createTreeBuilder, MarkdownNode } from "./tree.ts";

/** The cost of a part of the answer. The browser lays out only the parts in sight, and the last one as it grows. */
const PART_COST = 400;

/** Plain text is cut behind a line, or within one that is far too long: the browser lays out all of its end again as it grows. */
const PLAIN_LENGTH = 4_000;
const PLAIN_LENGTH_MAX = 8_000;

/** Appends to the last part of the box, or begins another one. */
function createParts(box: HTMLElement) {
  let part: HTMLElement | undefined;
  let room = 0;
  return {
    /** Appends a node for good. */
    append(node: Node, cost: number): void {
      this.appendOpen(node);
      room -= cost;
    },
    /** Appends a node that will be replaced. */
    appendOpen(node: Node): void {
      if (!part || room <= 0) {
        part = document.createElement("div");
        part.className = "md-part";
        box.append(part);
        room = PART_COST;
      }
      part.append(node);
    },
  };
}

/** Returns a function that puts a step into the box, and yields the cost of each slice that it has drawn. */
export function createWriter(box: HTMLElement, tree: ReturnType<typeof createTreeBuilder>) {
  const parts = createParts(box);
  let open: Node[] = [];
  let code: ReturnType<typeof createCodeBlock> | undefined;
  let table: ReturnType<typeof createTable> | undefined;
  let plain: HTMLElement | undefined;
  let plainLength = 0;

  function* writeClosed(closed: Extract<Step, { closed: unknown }>["closed"]): Generator<number, void> {
    for (const node of open) node.parentNode?.removeChild(node);
    open = [];
    for (const node of tree.blocks(closed).flatMap(slicesOf)) {
      const cost = costOf(node);
      // More rows of the last table may follow.
      table = typeof node === "object" && node.tag === "table" ? createTable(node) : undefined;
      parts.append(table?.element ?? toDom(node), cost);
      yield cost;
    }
  }

  function writeOpen(nodes: readonly MarkdownNode[]): number {
    open = nodes.map(toDom);
    for (const node of open) parts.appendOpen(node);
    return nodes.reduce((sum: number, node) => sum + costOf(node), 0);
  }

  function writePlain(text: string): number {
    const isFull = plainLength >= (plain?.textContent.endsWith("\n") ? PLAIN_LENGTH : PLAIN_LENGTH_MAX);
    const cost = textCost(text.length);
    if (!plain || isFull) {
      plain = document.createElement("div");
      plain.className = "md-plain";
      plain.setAttribute("dir", "auto");
      plainLength = 0;
      parts.append(plain, cost);
    }
    plain.append(text);
    plainLength += text.length;
    return cost;
  }

  function* writeRows(rows: readonly Tokens.TableCell[][], openRow: readonly Tokens.TableCell[] | undefined) {
    table?.removeOpenRow();
    for (const cells of rows) {
      const row = table?.hasRoom() ? tree.row(cells) : [];
      table?.addRow(row, false);
      yield rowCost(row);
    }
    if (openRow) table?.addRow(tree.row(openRow), true);
  }

  return function* write(step: Step): Generator<number, void> {
    if (step.type !== "plain") plain = undefined;
    if ("closed" in step) yield* writeClosed(step.closed);
    if (step.type === "blocks") yield writeOpen(tree.openBlocks(step.open));
    else if (step.type === "fence") {
      code = createCodeBlock(step.lang);
      parts.append(code.element, 6);
      yield 6;
    } else if (step.type === "code") {
      code?.append(step.text);
      yield textCost(step.text.length);
    } else if (step.type === "rows") yield* writeRows(step.rows, step.openRow);
    else {
      yield* writeClosed([]);
      yield writePlain(step.text);
    }
  };
}
