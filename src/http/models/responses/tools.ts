import { parseJson, textField } from "../../../json/parse.ts";
import { readShape, refuse } from "../refuse.ts";
import { withoutNulls } from "../translation.ts";
import { type ResponsesBody, Tool, ToolChoice, type Typed } from "./schema.ts";

/** The name by which the caller knows a tool. */
export interface ToolName {
  kind: "function" | "custom";
  name: string;
  namespace?: string;
}

/** The function that stands for a tool: its name for the caller, and its definition. */
type ChatFunction = { kind: ToolName["kind"]; name: string; [field: string]: unknown };

/** The namespace of a tool, and what its definition says about it. */
interface Namespace {
  name: string;
  about: string | null | undefined;
}

/** The limit of OpenAI, vLLM and llama.cpp. */
const NAME_LENGTH_MAX = 64;

const ONLY_CALLERS_TOOLS =
  "Only tools that the caller runs are supported: those of the type `function`, `custom` or `namespace`.";

/** The tools of one request. A chat completion has only functions, whose names all share one namespace. */
export class Tools {
  /** The fields of the chat completion: its tools, and which of them the model may or must call. */
  readonly request: Record<string, unknown>;
  /** The tools that the model is offered, as the caller sent them. */
  readonly offered: Typed[] = [];
  /** The tools by the name that the upstream knows them by. */
  readonly #byWireName = new Map<string, { tool: ToolName; definition: Record<string, unknown> }>();
  readonly #wireNames = new Map<string, string>();

  constructor(body: ResponsesBody) {
    let searchPath: string | undefined;
    for (const [index, tool] of (body.tools ?? []).entries()) {
      const path = `tools[${index}]`;
      if (tool.type?.startsWith("web_search")) {
        searchPath ??= path;
        continue;
      }
      this.offered.push(tool);
      if (tool.type === "namespace") this.#offerNamespace(tool, path);
      else this.#offer(tool, path, undefined);
    }
    const isEmpty = this.#byWireName.size === 0;
    // Codex CLI sends web_search beside its own tools in every request. A model may leave it unused, so a
    // request with other tools works without it. A request with no other tool asks for the search itself.
    if (searchPath && isEmpty) throw refuse(`${searchPath}.type`, ONLY_CALLERS_TOOLS);
    this.request = isEmpty ? noTools(body) : this.#chatTools(body);
  }

  /** Returns the upstream's name for a tool. A tool that is not offered gets the name it would have. */
  wireName(name: string, namespace: string | null | undefined): string {
    return this.#wireNames.get(keyOf(name, namespace)) ?? flatName(name, namespace);
  }

  /** Returns the caller's tool of that name, or a function if the model made the name up. */
  byWireName(wireName: string): ToolName {
    return this.#byWireName.get(wireName)?.tool ?? { kind: "function", name: wireName };
  }

  #offerNamespace(tool: Typed, path: string): void {
    const { name, description, tools } = readShape(Tool.namespace, tool, path);
    for (const [index, inner] of tools.entries()) {
      // Only the first tool repeats the description of the namespace: that of an MCP server may be pages long.
      const about = index === 0 ? description : undefined;
      this.#offer(inner, `${path}.tools[${index}]`, { name, about });
    }
  }

  #offer(given: Typed, path: string, namespace: Namespace | undefined): void {
    const { kind, name, ...definition } = functionOf(given, path, namespace);
    const wireName = freeName(flatName(name, namespace?.name), this.#byWireName);
    const tool = { kind, name, ...(namespace && { namespace: namespace.name }) };
    this.#wireNames.set(keyOf(name, namespace?.name), wireName);
    this.#byWireName.set(wireName, { tool, definition: { ...withoutNulls(definition), name: wireName } });
  }

  #chatTools({ tool_choice: choice, parallel_tool_calls }: ResponsesBody): Record<string, unknown> {
    const parallel = withoutNulls({ parallel_tool_calls });
    const tools = this.#definitions(undefined);
    if (choice == null) return { tools, ...parallel };
    if (typeof choice === "string") return { tools, tool_choice: choice, ...parallel };
    if (choice.type === "allowed_tools") {
      // Upstreams do not know this choice. Offering no other tools has the same effect.
      const allowed = readShape(ToolChoice.allowed, choice, "tool_choice");
      const wanted = allowed.tools.map((tool, index) =>
        this.#wireNameOf(tool, `tool_choice.tools[${index}]`),
      );
      return { tools: this.#definitions(new Set(wanted)), tool_choice: allowed.mode, ...parallel };
    }
    const name = this.#wireNameOf(choice, "tool_choice");
    return { tools, tool_choice: { type: "function", function: { name } }, ...parallel };
  }

  /** Returns the definitions of the wanted tools; of all if `wanted` is undefined. */
  #definitions(wanted: ReadonlySet<string> | undefined): unknown[] {
    return [...this.#byWireName]
      .filter(([wire]) => wanted?.has(wire) ?? true)
      .map(([, { definition }]) => ({ type: "function", function: definition }));
  }

  #wireNameOf(choice: Typed, path: string): string {
    if (choice.type !== "function" && choice.type !== "custom")
      throw refuse(`${path}.type`, ONLY_CALLERS_TOOLS);
    const { name, namespace } = readShape(ToolChoice.named, choice, path);
    const wire = this.wireName(name, namespace);
    if (!this.#byWireName.has(wire)) throw refuse(`${path}.name`, "It must be the name of one of the tools.");
    return wire;
  }
}

const keyOf = (name: string, namespace: string | null | undefined) =>
  JSON.stringify([namespace ?? null, name]);

/** Returns the name with its namespace in front, as a chat completion knows no namespaces. */
function flatName(name: string, namespace: string | null | undefined): string {
  const flat = namespace ? `${namespace}${namespace.endsWith("__") ? "" : "__"}${name}` : name;
  return flat.slice(0, NAME_LENGTH_MAX);
}

/** Tools of two namespaces may get the same name, and long names may differ only beyond the limit. */
function freeName(wanted: string, taken: ReadonlyMap<string, unknown>): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count += 1) {
    const suffix = `_${count}`;
    name = wanted.slice(0, NAME_LENGTH_MAX - suffix.length) + suffix;
  }
  return name;
}

/** Returns the function that stands for a tool. That of a custom tool takes the free text as its argument. */
function functionOf(tool: Typed, path: string, namespace: Namespace | undefined): ChatFunction {
  if (tool.type === "function") {
    const { name, description, parameters, strict } = readShape(Tool.function, tool, path);
    return { kind: tool.type, name, description: describe(namespace, description), parameters, strict };
  }
  if (tool.type !== "custom") throw refuse(`${path}.type`, ONLY_CALLERS_TOOLS);
  const { name, description, format } = readShape(Tool.custom, tool, path);
  const grammar =
    format?.type === "grammar"
      ? `The input must match this ${format.syntax} grammar:\n${format.definition}`
      : undefined;
  return { kind: tool.type, name, description: describe(namespace, description, grammar), parameters: INPUT };
}

const INPUT = {
  type: "object",
  properties: { input: { type: "string", description: "The whole input of the tool, as plain text." } },
  required: ["input"],
  additionalProperties: false,
};

/** Returns the texts and what is said about the namespace; null if there is nothing to say. */
function describe(namespace: Namespace | undefined, ...texts: (string | null | undefined)[]): string | null {
  const about = namespace?.about && `About the tools of ${namespace.name}: ${namespace.about}`;
  return [...texts, about].filter(Boolean).join("\n\n") || null;
}

/** Returns the input of a custom tool from the arguments of its function. Some models send the input bare. */
export function customInput(callArguments: string): string {
  return textField(parseJson(callArguments), "input") ?? callArguments;
}

export const customArguments = (input: string): string => JSON.stringify({ input });

function noTools({ tool_choice: choice }: ResponsesBody): Record<string, unknown> {
  if (choice == null || choice === "auto" || choice === "none") return {};
  throw refuse("tool_choice", "There are no tools to choose from.");
}
