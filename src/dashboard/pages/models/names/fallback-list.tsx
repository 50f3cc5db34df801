import { printable } from "../../../../printable.ts";
import { text } from "../../../texts/texts.ts";
import { isOffered } from "./offered.ts";

/** Models in the order in which they answer. Those that no agent offers are marked. */
export function FallbackList({ models, offered }: { models: readonly string[]; offered: readonly string[] }) {
  return (
    <ol class="fallback-list">
      {models.map((model) => (
        <li key={model}>
          <span>{printable(model)}</span>
          {isOffered(model, offered) ? null : (
            <span class="muted"> {text("models.fallback.notOffered")}</span>
          )}
        </li>
      ))}
    </ol>
  );
}
