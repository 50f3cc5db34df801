const TAG = ":latest";

interface KnownModels {
  /** Whether an agent offers the model now. */
  offersModel(model: string): boolean;
  /** Whether an agent offers the model, or ever did. */
  knowsModel(model: string): boolean;
}

/**
 * Returns the other name of a model by Ollama's rule, that a name without a tag means the tag `latest`;
 * undefined for a name with another tag. A colon before the last slash belongs to a host, as in
 * `localhost:5000/llama`.
 */
export function otherName(name: string): string | undefined {
  if (name.endsWith(TAG)) return name.slice(0, -TAG.length) || undefined;
  return name.slice(name.lastIndexOf("/") + 1).includes(":") ? undefined : name + TAG;
}

/** Returns the name by which agents offer the model: its own, or the other one if nobody offers its own. */
export function offeredName(name: string, models: KnownModels): string {
  const other = otherName(name);
  // Most names have no known other, which is cheaper to find out than whether one of many agents has it.
  if (other === undefined || !models.knowsModel(other) || models.offersModel(name)) return name;
  return models.offersModel(other) || !models.knowsModel(name) ? other : name;
}
