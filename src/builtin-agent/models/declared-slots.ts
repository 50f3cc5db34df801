import { field } from "../../json/parse.ts";
import type { Model } from "../../protocol/agent-v2.ts";
import type { Offer } from "../upstream.ts";
import type { NativeApi } from "./native-api.ts";

/**
 * Returns how many requests the upstream says that it answers at once, if it does. A llama.cpp with
 * one model does, as `total_slots` of its `/props`. Its router has slots for each model and tells none. Ollama, vLLM,
 * LM Studio and the others keep the number to themselves.
 */
export async function declaredSlots(api: NativeApi, listed: readonly Model[]): Promise<Pick<Offer, "slots">> {
  const [model] = listed;
  if (listed.length !== 1 || model?.owned_by !== "llamacpp") return {};
  const slots = field(await api.get("/props"), "total_slots");
  return typeof slots === "number" && Number.isInteger(slots) && slots > 0 ? { slots } : {};
}
