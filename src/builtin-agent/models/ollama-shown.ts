import { BoundedMap } from "../../bounded-map.ts";
import { field, textField } from "../../json/parse.ts";
import { MODELS_MAX } from "../../protocol/agent-v2.ts";
import type { NativeApi } from "./native-api.ts";

/** How many models of Ollama are looked up in one check, as each needs a request. */
const SHOWN_MAX = 20;

/** The facts about a model of Ollama, as far as they are read. */
export interface ShownModel {
  /** The values that may be the context length, the chosen one first. */
  lengths: readonly unknown[];
  capabilities: unknown;
}

/** Looks up models of Ollama, each once: what is read of them does not change. */
export class OllamaShown {
  readonly #shown = new BoundedMap<string, ShownModel>(MODELS_MAX);

  get(id: string): ShownModel | undefined {
    return this.#shown.get(id);
  }

  /** Looks up the next of these models that are not known yet. */
  async look(api: NativeApi, ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#shown.has(id)).slice(0, SHOWN_MAX);
    await Promise.all(unknown.map((id) => this.#show(api, id)));
  }

  /** Ollama names the parameters of a model as lines of text, and the facts with the architecture as prefix. */
  async #show(api: NativeApi, id: string): Promise<void> {
    const shown = await api.post("/api/show", { model: id });
    if (shown === undefined) return;
    const [, chosen] = /^num_ctx\s+(\d+)\s*$/m.exec(textField(shown, "parameters") ?? "") ?? [];
    const info = field(shown, "model_info");
    const name = Object.keys(info ?? {}).find((key) => key.endsWith(".context_length"));
    const lengths = [Number(chosen), name && field(info, name)];
    this.#shown.set(id, { lengths, capabilities: field(shown, "capabilities") });
  }
}
