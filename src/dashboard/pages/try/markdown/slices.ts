import type { MarkdownElement, MarkdownNode } from "./tree.ts";

/** The number of elements, or the text that costs as much, that is drawn before the browser lays it out. */
export const SLICE_COST = 400;
/** Characters that cost as much as an element. */
const ELEMENT_LENGTH = 25;

/** Returns about how much work it is for the browser to show a text. */
export const textCost = (length: number): number => length / ELEMENT_LENGTH;

/** Returns about how much work it is for the browser to show a node: its elements and the length of its texts. */
export function costOf(node: MarkdownNode): number {
  if (typeof node === "string") return textCost(node.length);
  if (node.tag === "code-block") return 6 + textCost(node.text.length);
  if (node.tag === "table") return [node.head, ...node.rows].reduce((sum, row) => sum + rowCost(row), 6);
  return 1 + costOfAll(node.children);
}

/** Returns the cost of a row of a table. */
export function rowCost(cells: readonly (readonly MarkdownNode[])[]): number {
  return cells.reduce((sum, cell) => sum + 1 + costOfAll(cell), 1);
}

function costOfAll(nodes: readonly MarkdownNode[]): number {
  return nodes.reduce((sum: number, node) => sum + costOf(node), 0);
}

/** Only these can be cut between their children without showing anything else. */
const CUTTABLE: ReadonlySet<string> = new Set(["ul", "ol", "blockquote", "p"]);

/** Cuts a long list, quote or paragraph into several that look like one, so that each of them is drawn quickly. */
export function slicesOf(node: MarkdownNode): readonly MarkdownNode[] {
  if (typeof node === "string" || node.tag === "code-block" || node.tag === "table") return [node];
  if (!CUTTABLE.has(node.tag) || costOf(node) <= SLICE_COST) return [node];
  const children = node.tag === "blockquote" ? node.children.flatMap(slicesOf) : node.children;
  const groups = groupsOf(children);
  let before = 0;
  return groups.map((group, index): MarkdownElement => {
    const start = (node.start ?? 1) + before;
    before += group.length;
    return {
      tag: node.tag,
      children: group,
      ...(node.tag === "ol" && start !== 1 && { start }),
      ...((index < groups.length - 1 || node.goesOn) && { goesOn: true }),
    };
  });
}

/** Returns the nodes in groups, each of which is drawn quickly unless a single node is not. */
function groupsOf(nodes: readonly MarkdownNode[]): MarkdownNode[][] {
  const groups: MarkdownNode[][] = [];
  let room = 0;
  for (const node of nodes) {
    const cost = costOf(node);
    if (room < cost || groups.length === 0) {
      groups.push([]);
      room = SLICE_COST;
    }
    groups.at(-1)?.push(node);
    room -= cost;
  }
  return groups;
}
