/** Returns the line of a unit that sets a variable of its process. */
export function variable(name: string, value: string): string {
  return `Environment=${quoted(`${name}=${value}`)}`;
}

/** Quotes a text as one word of a unit, if necessary. A percent sign begins a specifier there. */
export function quoted(text: string): string {
  const escaped = text.replaceAll("%", "%%");
  return /^[\w@+=:,./%-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\]/g, "\\$&")}"`;
}
