import { field, textField } from "../../json/parse.ts";
import type { Model } from "../../protocol/agent-v2.ts";
import { otherName } from "../../protocol/model-name.ts";
import { listField } from "./native-api.ts";

/** Whether the upstream has a model in memory, by the model's id. Models of which it does not tell are missing. */
export type LoadedModels = ReadonlyMap<string, boolean>;

/** An answer in which an upstream tells which models it has in memory. */
export interface LoadedSource {
  /** The path in its own API; undefined for the list of models itself. */
  path: string | undefined;
  /** Reads the answer. Returns an empty map for one that does not fit. */
  read(body: unknown): LoadedModels;
}

/** The states of a model that need time before its next answer. */
const NOT_LOADED = new Set(["unloaded", "loading", "sleeping", "downloading", "downloaded", "failed"]);

/**
 * Returns whether an entry of a list of models says that the model is loaded. The router of llama.cpp says so
 * (https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md#using-multiple-models), and so do
 * newer versions of llama-swap. A llama.cpp with one model always has it in memory, and says nothing.
 */
export function statusIn(entry: unknown): boolean | undefined {
  const value = textField(field(entry, "status"), "value");
  if (value === "loaded") return true;
  return value !== undefined && NOT_LOADED.has(value) ? false : undefined;
}

/**
 * Returns where the upstream with these models tells which of them it has in memory; undefined if it does not tell.
 * It is recognized by the owner that its models have, so other upstreams get no such request.
 */
export function loadedSourceOf(listed: readonly Model[]): LoadedSource | undefined {
  if (listed.some(({ loaded }) => loaded !== undefined)) return { path: undefined, read: readList };
  const hasOwner = (owner: string) => listed.some(({ owned_by }) => owned_by === owner);
  if (hasOwner("llama-swap")) return { path: "/running", read: (body) => readRunning(body, listed) };
  if (hasOwner("library")) return { path: "/api/ps", read: (body) => readPs(body, listed) };
  if (hasOwner("organization_owner")) return { path: "/api/v0/models", read: readLmStudio };
  return undefined;
}

/** Returns the models as the list says whether they are loaded. */
export function loadedIn(listed: readonly Model[]): LoadedModels {
  return new Map(
    listed.flatMap(({ id, loaded }): [string, boolean][] => (loaded === undefined ? [] : [[id, loaded]])),
  );
}

/** Returns the models with what is known of whether they are loaded. */
export function withLoaded(models: readonly Model[], loaded: LoadedModels): readonly Model[] {
  if (loaded.size === 0 && models.every((model) => model.loaded === undefined)) return models;
  return models.map((model) => {
    // By Ollama's rule, `llama3.2` and `llama3.2:latest` are one model. The operator may name either.
    const found = loaded.get(model.id) ?? loaded.get(otherName(model.id) ?? "");
    return { ...model, loaded: found };
  });
}

function readList(body: unknown): LoadedModels {
  return statesOf(listField(body, "data"), "id", statusIn);
}

/** LM Studio tells the state of each model: https://lmstudio.ai/docs/developer/rest/endpoints#get-apiv0models. */
function readLmStudio(body: unknown): LoadedModels {
  return statesOf(listField(body, "data"), "id", (entry) => {
    const state = textField(entry, "state");
    return state === "loaded" ? true : state === "not-loaded" ? false : undefined;
  });
}

/**
 * llama-swap lists the models that run, by their ids and not by their aliases
 * (`listRunningProcessesHandler` in https://github.com/mostlygeek/llama-swap/blob/main/proxy/proxymanager.go). The
 * models of its peers have another owner, and are unknown.
 */
function readRunning(body: unknown, listed: readonly Model[]): LoadedModels {
  const running = listField(body, "running");
  const ready = statesOf(running, "model", (entry) => textField(entry, "state") === "ready");
  const own = listed.filter(({ owned_by }) => owned_by === "llama-swap");
  return running ? new Map([...own.map(({ id }) => [id, false] as const), ...ready]) : ready;
}

/**
 * Ollama lists the models in memory: https://docs.ollama.com/api/ps. Its cloud models run elsewhere and are never
 * among them.
 */
function readPs(body: unknown, listed: readonly Model[]): LoadedModels {
  const running = listField(body, "models");
  const loaded = statesOf(running, "name", () => true);
  const local = listed.filter(({ id }) => !/[:-]cloud$/.test(id));
  return running ? new Map([...local.map(({ id }) => [id, false] as const), ...loaded]) : loaded;
}

function statesOf(
  entries: unknown[] | undefined,
  idName: string,
  stateOf: (entry: unknown) => boolean | undefined,
): Map<string, boolean> {
  const pairs = (entries ?? []).flatMap((entry): [string, boolean][] => {
    const [id, state] = [textField(entry, idName), stateOf(entry)];
    return id === undefined || state === undefined ? [] : [[id, state]];
  });
  return new Map(pairs);
}
