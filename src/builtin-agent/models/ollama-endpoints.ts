import { field, textField } from "../../json/parse.ts";
import { type Endpoint, type Model, OLLAMA_ENDPOINTS } from "../../protocol/agent-v2.ts";
import { isOwnServer } from "../discovery/kinds.ts";
import type { NativeApi } from "./native-api.ts";

/** The text at the root of every Ollama. */
const ROOT_TEXT = "Ollama is running";

/** Whether models have the owner that those of an Ollama have. Other upstreams are not looked at. */
export const hasOllamaOwner = (listed: readonly Model[]): boolean =>
  listed.some(({ owned_by }) => owned_by === "library");

/**
 * Returns the endpoints of Ollama's own API if the upstream is an Ollama. Others imitate a part of it: llama.cpp answers
 * `/api/chat` as chat completions, and KoboldCpp answers even an empty request. So nothing is sent to these endpoints
 * before the upstream has shown that it is an Ollama, and then only a request that Ollama refuses.
 */
export async function ollamaEndpoints(
  api: NativeApi,
  probe: (endpoint: Endpoint) => Promise<Response>,
): Promise<readonly Endpoint[]> {
  const [root, version] = await Promise.all([api.text("/"), api.get("/api/version")]);
  if (root?.trim() !== ROOT_TEXT || textField(version, "version") === undefined) return [];
  const json = await api.get("/openapi.json");
  // A server of ours may have the same root.
  if (isOwnServer({ at: () => ({ status: 200, headers: new Headers(), json, isEmpty: false }), models: [] }))
    return [];
  const found = await Promise.all(OLLAMA_ENDPOINTS.map((endpoint) => exists(probe(endpoint))));
  return OLLAMA_ENDPOINTS.filter((_, index) => found[index]);
}

/** An Ollama answers an empty request with an error that is a text about the missing model: 400, or 404 in older places. */
async function exists(probed: Promise<Response>): Promise<boolean> {
  try {
    const response = await probed;
    const error = field(await response.json(), "error");
    return (response.status === 400 || response.status === 404) && /\bmodel\b/i.test(String(error));
  } catch {
    return false;
  }
}
