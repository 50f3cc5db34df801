const LATEST = ":latest";

/** Whether an agent offers the model. As in Ollama, a name without a tag means the tag `latest`. */
export function isOffered(model: string, offered: readonly string[]): boolean {
  if (offered.includes(model)) return true;
  if (model.endsWith(LATEST)) return offered.includes(model.slice(0, -LATEST.length));
  return offered.includes(model + LATEST);
}
