/**
 * Returns the path of a field as OpenAI's API writes it, such as `messages[0].content`, with `start` in front.
 * Zod's own function for it makes the executable 1 MB larger.
 */
export function fieldPath(keys: readonly PropertyKey[], start = ""): string {
  let path = start;
  for (const key of keys) {
    if (typeof key !== "string" || !/^[a-z_]\w*$/i.test(key)) path += `[${JSON.stringify(key)}]`;
    else path += path === "" ? key : `.${key}`;
  }
  return path;
}
