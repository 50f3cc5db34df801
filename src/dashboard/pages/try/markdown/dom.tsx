import { copyWithToast } from "../../../components/copy-button.tsx";
import { formatWhole } from "../../../format.ts";
import { countedText, text } from "../../../texts/texts.ts";
import { cutAtLines } from "../chat/streamed-text.ts";
import type { MarkdownElement, MarkdownNode, MarkdownRow, MarkdownTable } from "./tree.ts";

/**
 * Builds the elements of an answer. It creates each of them by its name and sets texts, and never uses `innerHTML`: what
 * a model writes cannot become an element that is not in the tree.
 */
export function toDom(node: MarkdownNode): Node {
  if (typeof node === "string") return document.createTextNode(node);
  if (node.tag === "code-block") {
    const code = createCodeBlock(node.lang);
    code.append(node.text);
    return code.element;
  }
  return node.tag === "table" ? createTable(node).element : toElement(node);
}

const BIDI = new Set(["p", "h3", "h4", "h5", "h6", "li", "blockquote"]);

function toElement({ tag, href, start, goesOn, children }: MarkdownElement): Element {
  const element = document.createElement(tag);
  if (goesOn) element.className = "md-goes-on";
  if (BIDI.has(tag)) element.setAttribute("dir", "auto");
  if (start !== undefined) element.setAttribute("start", String(start));
  if (href !== undefined) {
    element.setAttribute("href", href);
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer nofollow");
  }
  element.append(...children.map(toDom));
  return element;
}

/** The browser lays out only the last part of a code again that grows. */
const PART_LENGTH = 4_000;

/** A code block, to which more code can be added. */
export function createCodeBlock(lang: string) {
  const name = languageOf(lang);
  const element = create("div", "md-code");
  const head = create("div", "md-code-head");
  const label = create("span", "md-lang");
  label.textContent = name;
  const pre = create("pre");
  const box = create("code");
  pre.tabIndex = 0;
  pre.setAttribute("role", "group");
  pre.setAttribute("aria-label", text("markdown.code", { language: name }).trim());
  pre.setAttribute("dir", "ltr");
  pre.append(box);
  let code = "";
  let last: HTMLElement | undefined;
  let lastLength = 0;
  head.append(
    label,
    createCopyButton(() => code.replace(/\n$/, "")),
  );
  element.append(head, pre);
  return {
    element,
    append(more: string) {
      code += more;
      for (const [index, part] of cutAtLines(more, PART_LENGTH - lastLength, PART_LENGTH).entries()) {
        if (index > 0 || !last) {
          last = create("div");
          lastLength = 0;
          box.append(last);
        }
        last.append(part);
        lastLength += part.length;
      }
    },
  };
}

/** Returns the first word behind the fence, such as `python`. */
function languageOf(lang: string): string {
  return /^[\w+#.-]{1,30}/.exec(lang)?.[0] ?? "";
}

function createCopyButton(read: () => string): HTMLElement {
  const button = create("button", "button quiet small");
  button.setAttribute("type", "button");
  button.setAttribute("aria-label", text("copy.button.label", { what: text("markdown.code.what") }));
  button.textContent = text("copy.button");
  button.addEventListener("click", () => void copyWithToast(read(), text("markdown.code.what")));
  return button;
}

/** The rows of a table that are shown, and their cells: the browser lays out all of a table again with each row. */
const ROWS_MAX = 300;
const CELLS_MAX = 3_000;

/** A table, to which more rows can be added. */
export function createTable({ head, rows, align }: MarkdownTable) {
  const element = create("div", "md-table");
  const scroll = create("div", "table-scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", text("markdown.table"));
  const table = create("table");
  const note = create("p", "hint");
  const [thead, tbody] = [create("thead"), create("tbody")];
  const rowsMax = Math.min(ROWS_MAX, Math.ceil(CELLS_MAX / Math.max(1, head.length)));
  let count = 0;
  let openRow: HTMLElement | undefined;
  thead.append(createRow(head, align, true));
  table.append(thead, tbody);
  scroll.append(table);
  element.append(scroll);

  /** Adds a row, which the next one replaces if it is open. */
  const addRow = (row: MarkdownRow, isOpen: boolean) => {
    if (!isOpen) count++;
    const hidden = count - rowsMax;
    if (hidden > 0) {
      note.textContent = countedText("markdown.rows", hidden, { count: formatWhole(hidden) });
      element.append(note);
    } else if (count + Number(isOpen) <= rowsMax) {
      const made = createRow(row, align, false);
      tbody.append(made);
      if (isOpen) openRow = made;
    }
  };
  for (const row of rows) addRow(row, false);
  return {
    element,
    /** Whether rows that are added are shown, and not only counted. */
    hasRoom: () => count < rowsMax,
    removeOpenRow() {
      openRow?.remove();
      openRow = undefined;
    },
    addRow,
  };
}

function createRow(cells: MarkdownRow, align: MarkdownTable["align"], isHead: boolean): HTMLElement {
  const row = create("tr");
  for (const [index, nodes] of cells.entries()) {
    // Screen readers cannot say a heading without a text.
    const cell = create(isHead && nodes.length > 0 ? "th" : "td", ALIGN[align[index] ?? "left"]);
    if (isHead && nodes.length > 0) cell.setAttribute("scope", "col");
    cell.setAttribute("dir", "auto");
    cell.append(...nodes.map(toDom));
    row.append(cell);
  }
  return row;
}

const ALIGN = { left: "", center: "md-center", right: "md-right" };

function create(tag: string, className = ""): HTMLElement {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  return element;
}
