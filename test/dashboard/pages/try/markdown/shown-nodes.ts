import {
  createBlockReader,
  type Step,
} from "../../../../../src/dashboard/pages/try/markdown/block-reader.ts";
import {
  createTreeBuilder,
  type MarkdownNode,
  type MarkdownRow,
} from "../../../../../src/dashboard/pages/try/markdown/tree.ts";

/** Reads a text as the page does, in pieces that end at `ends`, and returns the nodes that are shown at the end. */
export function shownNodes(text: string, ends: readonly number[] = [text.length]) {
  const reader = createBlockReader();
  const tree = createTreeBuilder(reader.links);
  const closed: MarkdownNode[] = [];
  const open: { nodes: MarkdownNode[]; row?: MarkdownRow | undefined } = { nodes: [] };
  let steps = 0;
  let readLength = 0;
  const append = (more: string) => {
    const last = closed.at(-1);
    if (typeof last === "object" && last.tag === "code-block") last.text += more;
    else closed.push({ tag: "code-block", lang: "", text: more });
  };
  /** Adds rows in place of the former open one. */
  const addRows = ({ rows, openRow }: Extract<Step, { type: "rows" }>) => {
    const last = closed.at(-1);
    if (typeof last !== "object" || last.tag !== "table") throw new Error("The rows have no table.");
    const before = last.rows.filter((row) => row !== open.row);
    open.row = openRow && tree.row(openRow);
    closed.splice(-1, 1, {
      ...last,
      rows: [...before, ...rows.map(tree.row), ...(open.row ? [open.row] : [])],
    });
  };
  const take = (step: Step) => {
    if ("closed" in step) {
      closed.push(...tree.blocks(step.closed));
      open.nodes = [];
    }
    if (step.type === "blocks") open.nodes = tree.openBlocks(step.open);
    if (step.type === "fence") closed.push({ tag: "code-block", lang: step.lang, text: "" });
    if (step.type === "code") append(step.text);
    if (step.type === "plain") {
      open.nodes = [];
      closed.push({ tag: "p", children: [step.text] });
    }
    if (step.type === "rows") addRows(step);
    if ("closed" in step || step.type === "rows") readLength += lengthOf(step);
  };
  for (const end of ends) {
    for (let step = reader.read(text.slice(0, end)); step; step = reader.read(text.slice(0, end))) {
      take(step);
      if (++steps > 100_000) throw new Error("The reader does not end.");
    }
  }
  const nodes = [...closed, ...open.nodes].map((node) =>
    typeof node === "object" && node.tag === "code-block"
      ? { ...node, text: node.text.replace(/\n$/, "") }
      : node,
  );
  return { nodes, steps, readLength };
}

/** Returns how many characters were parsed for a step. */
function lengthOf(step: Step): number {
  if (step.type === "rows") {
    const cells = [...step.rows, step.openRow ?? []].flat();
    return cells.reduce((sum, { text }) => sum + text.length + " | ".length, 0);
  }
  const tokens = "closed" in step ? [...step.closed, ...(step.type === "blocks" ? step.open : [])] : [];
  return tokens.reduce((sum, { raw }) => sum + raw.length, 0);
}

export const nodesOf = (text: string) => shownNodes(text).nodes;

/** Every element and text below some nodes. */
export function flat(nodes: readonly MarkdownNode[]): MarkdownNode[] {
  return nodes.flatMap((node): MarkdownNode[] => {
    if (typeof node === "string" || node.tag === "code-block") return [node];
    if (node.tag === "table") return [node, ...flat([...node.head.flat(), ...node.rows.flat(2)])];
    return [node, ...flat(node.children)];
  });
}

export const textOf = (nodes: readonly MarkdownNode[]): string =>
  flat(nodes)
    .map((node) => (typeof node === "string" ? node : node.tag === "code-block" ? node.text : ""))
    .join("");
