import { AppError } from "../../../errors.ts";
import { noModelError } from "../../../relay/choice.ts";
import type { Asker } from "../../../relay/conversation.ts";
import type { Relay } from "../../../relay/relay.ts";

const LISTED_MAX = 20;

/**
 * Returns the error for a model that no agent has ever offered. `name` is the caller's name for it, if the text
 * is to have it: in the reference style the text tells programs which error it is. `asked` is the name in any case.
 */
export function unknownModel(
  relay: Pick<Relay, "models">,
  { models }: Asker,
  name: string | undefined,
  asked = name,
): AppError {
  const offered = relay.models().map(({ id }) => id);
  // After a start the agents have yet to come back, most likely with the model.
  if (offered.length === 0) return noModelError();
  const hint = availableModels(models ? offered.filter((id) => models.includes(id)) : offered);
  // Other names would garble the sentence.
  const message =
    name !== undefined && /^[\w.:/@+-]{1,100}$/.test(name) && `The model \`${name}\` does not exist`;
  const model = asked === undefined ? {} : { model: asked };
  return new AppError("model_not_found", { param: "model", hint, ...(message && { message }), ...model });
}

/** Returns a sentence with the models that a caller may use. */
export function availableModels(ids: readonly string[]): string {
  if (ids.length === 0) return "You may not use any of the available models.";
  const more = ids.length > LISTED_MAX ? `, and ${ids.length - LISTED_MAX} more` : "";
  return `Available models: ${ids.slice(0, LISTED_MAX).join(", ")}${more}.`;
}
