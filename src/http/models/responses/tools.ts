import { parseBoundedJson, textField } from "../../../json/parse.ts";
import { readShape, refuse } from "../refuse.ts";
import { shortName } from "../tool-names.ts";
import { withoutNulls } from "../translation.ts";
import type { RecalledInput } from "./recall.ts";
import { InputItem, type ResponsesBody, Tool, ToolChoice, type Typed } from "./schema.ts";

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

const CALLERS_TYPES = ["function", "custom", "namespace"];
const ONLY_CALLERS_TOOLS =
  "Only tools that the caller runs can be chosen: those of the type `function`, `custom` or `namespace`.";

/**
 * Returns whether only the vendor can run tools of that type, such as `web_search`, `tool_search`, `mcp` or one
 * of tomorrow. They are left out, since an offer is not a demand: Codex CLI sends some with every request, and
 * a model may leave them unused. Only a `tool_choice` that needs one is refused.
 */
const isVendorsType = (type: string | null | undefined): boolean =>
  type != null && !CALLERS_TYPES.includes(type);

/** The tools of one request. A chat completion has only functions, whose names all share one namespace. */
export class Tools {
  /** The fields of the chat completion: its tools, and which of them the model may or must call. */
  readonly request: Record<string, unknown>;
  /** The tools that the model is offered, as the caller sent them. */
  readonly offered: Typed[];
  /** The definitions of the offered tools by the names that the upstream knows them by. */
  readonly #definitions = new Map<string, Record<string, unknown>>();
  /** The caller's names by those of the upstream, and the other way round. */
  readonly #byWireName = new Map<string, ToolName>();
  readonly #wireNames = new Map<string, string>();

  constructor(body: ResponsesBody, { earlier, own }: RecalledInput) {
    this.offered = this.#offerAll(body.tools ?? [], "tools");
    // Codex CLI offers its tools in the input to the models that take them there.
    for (const [index, item] of [...earlier, ...own].entries()) {
      if (item.type !== "additional_tools") continue;
      const path = `input[${index - earlier.length}]`;
      this.#offerAll(readShape(InputItem.additional_tools, item, path).tools ?? [], `${path}.tools`);
    }
    this.request = this.#definitions.size === 0 ? noTools(body) : this.#chatTools(body);
  }

  /** Returns the upstream's name for a tool. A tool of the history need not be offered any more. */
  wireName(tool: ToolName): string {
    const key = keyOf(tool);
    const known = this.#wireNames.get(key);
    if (known !== undefined) return known;
    // Two tools may have the same name, each in a namespace of its own.
    const wireName = shortName(flatName(tool), key, (name) => this.#byWireName.has(name));
    this.#wireNames.set(key, wireName);
    this.#byWireName.set(wireName, tool);
    return wireName;
  }

  /** Returns the caller's tool of that name, or a function if the model made the name up. */
  byWireName(wireName: string): ToolName {
    return this.#byWireName.get(wireName) ?? { kind: "function", name: wireName };
  }

  /** Returns the tools that the caller runs. */
  #offerAll(tools: readonly Typed[], path: string): Typed[] {
    return tools.filter((tool, index) => {
      if (isVendorsType(tool.type)) return false;
      if (tool.type === "namespace") this.#offerNamespace(tool, `${path}[${index}]`);
      else this.#offer(tool, `${path}[${index}]`, undefined);
      return true;
    });
  }

  #offerNamespace(tool: Typed, path: string): void {
    const { name, description, tools } = readShape(Tool.namespace, tool, path);
    for (const [index, inner] of tools.entries()) {
      if (isVendorsType(inner.type)) continue;
      // Only the first tool repeats the description of the namespace: that of an MCP server may be pages long.
      const about = index === 0 ? description : undefined;
      this.#offer(inner, `${path}.tools[${index}]`, { name, about });
    }
  }

  #offer(given: Typed, path: string, namespace: Namespace | undefined): void {
    const { kind, name, ...definition } = functionOf(given, path, namespace);
    const wireName = this.wireName({ kind, name, ...(namespace && { namespace: namespace.name }) });
    this.#definitions.set(wireName, { ...withoutNulls(definition), name: wireName });
  }

  #chatTools({ tool_choice: choice, parallel_tool_calls }: ResponsesBody): Record<string, unknown> {
    const parallel = withoutNulls({ parallel_tool_calls });
    const tools = this.#functions(undefined);
    if (choice == null) return { tools, ...parallel };
    if (typeof choice === "string") return { tools, tool_choice: choice, ...parallel };
    if (choice.type === "allowed_tools") {
      // Upstreams do not know this choice. Offering no other tools has the same effect.
      const allowed = readShape(ToolChoice.allowed, choice, "tool_choice");
      const wanted = allowed.tools.flatMap((tool, index) =>
        isVendorsType(tool.type) ? [] : [this.#wireNameOf(tool, `tool_choice.tools[${index}]`)],
      );
      if (wanted.length === 0) return withoutTools(allowed.mode, "tool_choice.tools");
      return { tools: this.#functions(new Set(wanted)), tool_choice: allowed.mode, ...parallel };
    }
    const name = this.#wireNameOf(choice, "tool_choice");
    return { tools, tool_choice: { type: "function", function: { name } }, ...parallel };
  }

  /** Returns the definitions of the wanted tools; of all if `wanted` is undefined. */
  #functions(wanted: ReadonlySet<string> | undefined): unknown[] {
    return [...this.#definitions]
      .filter(([wire]) => wanted?.has(wire) ?? true)
      .map(([, definition]) => ({ type: "function", function: definition }));
  }

  #wireNameOf(choice: Typed, path: string): string {
    if (choice.type !== "function" && choice.type !== "custom")
      throw refuse(`${path}.type`, ONLY_CALLERS_TOOLS);
    const { name, namespace } = readShape(ToolChoice.named, choice, path);
    const wire = this.#wireNames.get(keyOf({ name, ...(namespace && { namespace }) }));
    if (wire === undefined) throw refuse(`${path}.name`, "It must be the name of one of the tools.");
    return wire;
  }
}

const keyOf = ({ name, namespace }: Omit<ToolName, "kind">) => JSON.stringify([namespace ?? null, name]);

/** Returns the name with its namespace in front, as a chat completion knows no namespaces. */
function flatName({ name, namespace }: ToolName): string {
  return namespace ? `${namespace}${namespace.endsWith("__") ? "" : "__"}${name}` : name;
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
  return textField(parseBoundedJson(callArguments), "input") ?? callArguments;
}

export const customArguments = (input: string): string => JSON.stringify({ input });

function noTools({ tool_choice: choice }: ResponsesBody): Record<string, unknown> {
  if (choice == null || typeof choice === "string") return withoutTools(choice, "tool_choice");
  if (choice.type === "allowed_tools")
    return withoutTools(readShape(ToolChoice.allowed, choice, "tool_choice").mode, "tool_choice");
  if (isVendorsType(choice.type)) throw refuse("tool_choice.type", ONLY_CALLERS_TOOLS);
  return withoutTools("required", "tool_choice");
}

/** Returns the fields of a request without tools. Throws if the model must call one. */
function withoutTools(mode: string | null | undefined, path: string): Record<string, unknown> {
  if (mode == null || mode === "auto" || mode === "none") return {};
  throw refuse(path, `There are no tools to choose from. ${ONLY_CALLERS_TOOLS}`);
}
