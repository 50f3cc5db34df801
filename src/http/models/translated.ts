import type { Plan } from "./plan.ts";
import type { Translation } from "./translation.ts";

/**
 * Returns the plan that asks for a chat completion, for agents whose upstream has nothing else, and
 * translates its answer.
 */
export function translatedPlan(translation: Translation, stream: boolean, model: string): Plan {
  const body = JSON.stringify({ ...translation.request, model });
  return {
    request: { endpoint: "chat/completions", stream, body: () => body },
    body: (answer) => translation.answer(answer),
    open: () => translation.stream(),
  };
}
