/*
 * Reads the heads of forms (RFC 7578) strictly: what programs read differently is refused. Otherwise an upstream could
 * find another model in a form than the one that the server has allowed.
 */

/** The fault of a form. */
export class FormFault extends Error {}

/** A header on one line, without a break or a zero in it. */
const HEADER = /^([!#$%&'*+.^`|~\w-]+):[ \t]*([^\r\n\0]*)$/;
const VALUE = /^([!#$%&'*+.^`|~\w/-]+)/;
const PARAMETER = /[ \t]*;[ \t]*([!#$%&'*+.^`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/y;
const END = /^[ \t]*;?[ \t]*$/;

interface HeaderValue {
  /** In lower case. */
  value: string;
  /** The parameters by their names in lower case, as they are written. */
  parameters: Map<string, string>;
}

/** Reads a value such as `form-data; name="a"`. Returns undefined if it can be read in more than one way. */
function readValue(text: string): HeaderValue | undefined {
  const [found = "", value = ""] = VALUE.exec(text) ?? [];
  const parameters = new Map<string, string>();
  let at = found.length;
  PARAMETER.lastIndex = at;
  for (let match = PARAMETER.exec(text); match; match = PARAMETER.exec(text)) {
    const [, name = "", quoted, plain = ""] = match;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), quoted ?? plain);
    at = PARAMETER.lastIndex;
  }
  return END.test(text.slice(at)) ? { value: value.toLowerCase(), parameters } : undefined;
}

/** Returns the boundary that a content type names; undefined if it is not that of a form. */
export function boundaryOf(contentType: string | null): string | undefined {
  const { value, parameters } = readValue(contentType ?? "") ?? {};
  const boundary = value === "multipart/form-data" ? parameters?.get("boundary") : undefined;
  return boundary !== undefined && /^[^"\\]{1,200}$/.test(boundary) ? boundary : undefined;
}

/**
 * Returns the name of the field that a part is, from the lines of its head, if it is one of those that are wanted. Throws
 * a `FormFault` if programs could disagree about it.
 */
export function wantedName(head: string, wanted: ReadonlySet<string>): string | undefined {
  const { name, parameters } = dispositionIn(head);
  const isWanted = wanted.has(name);
  if (!isWanted && wanted.has(plainOf(name))) throw new FormFault("the name of a field is written unusually");
  if (isWanted && (parameters.has("filename") || parameters.has("filename*")))
    throw new FormFault(`the field ${name} is a file`);
  return isWanted ? name : undefined;
}

function dispositionIn(head: string): { name: string; parameters: HeaderValue["parameters"] } {
  const headers = head.split("\r\n").map((line) => HEADER.exec(line));
  if (!headers.every((header) => header !== null)) throw new FormFault("the head of a part cannot be read");
  const dispositions = headers.filter(([, name]) => name?.toLowerCase() === "content-disposition");
  const { value, parameters = new Map<string, string>() } = readValue(dispositions[0]?.[2] ?? "") ?? {};
  const name = parameters.get("name");
  if (dispositions.length !== 1 || value !== "form-data" || name === undefined || parameters.has("name*"))
    throw new FormFault("a part has no clear name");
  return { name, parameters };
}

/** Returns the name as a program may read it that undoes escapes, or takes capitals for small letters. */
const plainOf = (name: string): string =>
  name
    .replace(/\\(.)/g, "$1")
    .replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .trim()
    .toLowerCase();
