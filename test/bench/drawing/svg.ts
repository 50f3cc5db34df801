type Attributes = Readonly<Record<string, string | number>>;

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}

const DIGITS = 1;

function attributesText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => {
      const text = typeof value === "number" ? String(Number(value.toFixed(DIGITS))) : value;
      return ` ${name}="${escaped(text)}"`;
    })
    .join("");
}

/** Returns an element of an SVG picture with its children, which are elements. */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const inside = children.length > 0 ? `>${children.join("")}</${name}>` : "/>";
  return `<${name}${attributesText(attributes)}${inside}`;
}

/** Returns a line of text. */
export function textAt(text: string, x: number, y: number, more: Attributes = {}): string {
  return `<text${attributesText({ x, y, ...more })}>${escaped(text)}</text>`;
}
