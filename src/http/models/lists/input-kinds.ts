import type { OfferedModel } from "../../../relay/offers/offered-model.ts";

/** The kinds of input besides text, by the words for what a model can do. */
const KINDS: readonly [string, string][] = [
  ["vision", "image"],
  ["audio", "audio"],
];

/** Returns the kinds of input that a model takes, such as `text` and `image`; undefined if no agent tells. */
export function inputKinds({ capabilities }: Pick<OfferedModel, "capabilities">): string[] | undefined {
  // A list in other words than Ollama's may leave out what is not special.
  if (!capabilities?.some((word) => word === "completion" || word === "vision")) return undefined;
  return ["text", ...KINDS.filter(([word]) => capabilities.includes(word)).map(([, kind]) => kind)];
}
