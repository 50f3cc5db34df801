import { parseJson, textField } from "../../../json/parse.ts";
import { readShape, refuse } from "../refuse.ts";
import { shortName } from "../tool-names.ts";
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

const ONLY_CALLERS_TOOLS =
  "Only tools that the caller runs are supported: those of the type `function`, `custom` or `namespace`.";

/** The tools of one request. A chat completion has only functions, whose names all share one namespace. */
export class Tools {
  /** The fields of the chat completion: its tools, and which of them the model may or must call. */
  readonly request: Record<string, unknown>;
  /** The tools that the model is offered, as the caller sent them. */
  readonly offered: Typed[] = [];
  /** The definitions of the offered tools by the names that the upstream knows them by. */
  readonly #definitions = new Map<string, Record<string, unknown>>();
  /** The caller's names by those of the upstream, and the other way round. */
  readonly #byWireName = new Map<string, ToolName>();
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
    const isEmpty = this.#definitions.size === 0;
    // Codex CLI sends web_search beside its own tools in every request. A model may leave it unused, so a
    // request with other tools works without it. A request with no other tool asks for the search itself.
    if (searchPath && isEmpty) throw refuse(`${searchPath}.type`, ONLY_CALLERS_TOOLS);
    this.request = isEmpty ? noTools(body) : this.#chatTools(body);
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
      const wanted = allowed.tools.map((tool, index) =>
        this.#wireNameOf(tool, `tool_choice.tools[${index}]`),
      );
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
  return textField(parseJson(callArguments), "input") ?? callArguments;
}

export const customArguments = (input: string): string => JSON.stringify({ input });

function noTools({ tool_choice: choice }: ResponsesBody): Record<string, unknown> {
  if (choice == null || choice === "auto" || choice === "none") return {};
  throw refuse("tool_choice", "There are no tools to choose from.");
}
