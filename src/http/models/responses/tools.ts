import { parseJson, textField } from "../../../json/parse.ts";
import { readShape, refuse } from "../refuse.ts";
import {
  AllowedChoice,
  CustomTool,
  FunctionTool,
  NamedChoice,
  NamespaceTool,
  type ResponsesBody,
  type Typed,
} from "./schema.ts";

/** The name by which the caller knows a tool. */
export interface ToolName {
  kind: "function" | "custom";
  name: string;
  namespace?: string;
}

/** The tools of one request. A chat completion has only functions, whose names all share one namespace. */
export interface Tools {
  /** The fields of the chat completion: its tools, and which of them the model may or must call. */
  request: Record<string, unknown>;
  /** The tools that the model was offered, as the caller sent them. */
  offered: unknown[];
  /**
   * Returns the upstream's name for a tool. A tool that this request does not offer gets the name it would
   * have.
   */
  wireName(name: string, namespace: string | null | undefined): string;
  /** Returns the caller's tool of that name, or a function if the model made the name up. */
  byWireName(wireName: string): ToolName;
}

/** The limit of OpenAI, vLLM and llama.cpp. */
const NAME_LENGTH_MAX = 64;

const ONLY_CALLERS_TOOLS =
  "Only tools that the caller runs are supported: those of the type `function`, `custom` or `namespace`.";

interface Offer {
  tool: ToolName;
  definition: Record<string, unknown>;
}

export function readTools(body: ResponsesBody): Tools {
  const offers = new Map<string, Offer>();
  const wireNames = new Map<string, string>();
  const offered: unknown[] = [];
  const offer = (tool: ToolName, definition: Record<string, unknown>) => {
    const wireName = freeName(flatName(tool.name, tool.namespace), offers);
    wireNames.set(keyOf(tool.name, tool.namespace), wireName);
    offers.set(wireName, { tool, definition: { ...definition, name: wireName } });
  };
  const searches: string[] = [];
  for (const [index, tool] of (body.tools ?? []).entries()) {
    const path = `tools[${index}]`;
    if (isWebSearch(tool)) {
      searches.push(path);
      continue;
    }
    offered.push(tool);
    if (tool.type === "namespace") offerNamespace(tool, path, offer);
    else offerOne(tool, path, undefined, offer);
  }
  const [path] = searches;
  // Codex CLI sends web_search beside its own tools in every request. A model may leave it unused, so a
  // request with other tools works without it. A request with no other tool asks for the search itself.
  if (path !== undefined && offers.size === 0) throw refuse(`${path}.type`, ONLY_CALLERS_TOOLS);
  const wireName: Tools["wireName"] = (name, namespace) =>
    wireNames.get(keyOf(name, namespace)) ?? flatName(name, namespace);
  return {
    request: offers.size === 0 ? noTools(body) : chatTools(body, offers, wireName),
    offered,
    wireName,
    byWireName: (wire) => offers.get(wire)?.tool ?? { kind: "function", name: wire },
  };
}

const keyOf = (name: string, namespace: string | null | undefined) =>
  JSON.stringify([namespace ?? null, name]);

function isWebSearch({ type }: Typed): boolean {
  return type?.startsWith("web_search") ?? false;
}

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

type AddOffer = (tool: ToolName, definition: Record<string, unknown>) => void;

function offerNamespace(tool: Typed, path: string, offer: AddOffer): void {
  const namespace = readShape(NamespaceTool, tool, path);
  for (const [index, inner] of namespace.tools.entries()) {
    // Only the first tool repeats the description of the namespace: that of an MCP server may be pages long.
    const about = index === 0 ? namespace.description : undefined;
    offerOne(inner, `${path}.tools[${index}]`, { name: namespace.name, about }, offer);
  }
}

function offerOne(
  tool: Typed,
  path: string,
  namespace: { name: string; about: string | null | undefined } | undefined,
  offer: AddOffer,
): void {
  const within = namespace && { namespace: namespace.name };
  const describe = (...texts: (string | null | undefined)[]) => {
    const description = [
      ...texts,
      namespace?.about && `About the tools of ${namespace.name}: ${namespace.about}`,
    ];
    return description.filter(Boolean).length > 0
      ? { description: description.filter(Boolean).join("\n\n") }
      : {};
  };
  if (tool.type === "function") {
    const { name, description, parameters, strict } = readShape(FunctionTool, tool, path);
    const definition = {
      ...describe(description),
      ...(parameters && { parameters }),
      ...(typeof strict === "boolean" && { strict }),
    };
    offer({ kind: "function", name, ...within }, definition);
  } else if (tool.type === "custom") {
    const { name, description, format } = readShape(CustomTool, tool, path);
    const grammar =
      format?.type === "grammar" &&
      `The input must match this ${format.syntax} grammar:\n${format.definition}`;
    offer(
      { kind: "custom", name, ...within },
      { ...describe(description, grammar || null), parameters: INPUT },
    );
  } else throw refuse(`${path}.type`, ONLY_CALLERS_TOOLS);
}

/** A custom tool takes free text, which as a function becomes one argument. */
const INPUT = {
  type: "object",
  properties: { input: { type: "string", description: "The whole input of the tool, as plain text." } },
  required: ["input"],
  additionalProperties: false,
};

/** Returns the input of a custom tool from the arguments of its function. Some models send the input bare. */
export function customInput(callArguments: string): string {
  return textField(parseJson(callArguments), "input") ?? callArguments;
}

export const customArguments = (input: string): string => JSON.stringify({ input });

function noTools({ tool_choice: choice }: ResponsesBody): Record<string, unknown> {
  if (choice === null || choice === undefined || choice === "auto" || choice === "none") return {};
  throw refuse("tool_choice", "There are no tools to choose from.");
}

function chatTools(
  body: ResponsesBody,
  offers: ReadonlyMap<string, Offer>,
  wireName: Tools["wireName"],
): Record<string, unknown> {
  const wireNameOf = (choice: Typed, path: string) => {
    if (choice.type !== "function" && choice.type !== "custom")
      throw refuse(`${path}.type`, ONLY_CALLERS_TOOLS);
    const { name, namespace } = readShape(NamedChoice, choice, path);
    const wire = wireName(name, namespace);
    if (!offers.has(wire)) throw refuse(`${path}.name`, "It must be the name of one of the tools.");
    return wire;
  };
  const toolsOf = (wanted: ReadonlySet<string> | undefined) =>
    [...offers]
      .filter(([wire]) => wanted?.has(wire) ?? true)
      .map(([, { definition }]) => ({ type: "function", function: definition }));
  const parallel =
    typeof body.parallel_tool_calls === "boolean" ? { parallel_tool_calls: body.parallel_tool_calls } : {};
  const { tool_choice: choice } = body;
  if (choice === null || choice === undefined) return { tools: toolsOf(undefined), ...parallel };
  if (typeof choice === "string") return { tools: toolsOf(undefined), tool_choice: choice, ...parallel };
  if (choice.type === "allowed_tools") {
    // Upstreams do not know this choice. Offering no other tools has the same effect.
    const { mode, tools } = readShape(AllowedChoice, choice, "tool_choice");
    const wanted = new Set(tools.map((tool, index) => wireNameOf(tool, `tool_choice.tools[${index}]`)));
    return { tools: toolsOf(wanted), tool_choice: mode, ...parallel };
  }
  const name = wireNameOf(choice, "tool_choice");
  return { tools: toolsOf(undefined), tool_choice: { type: "function", function: { name } }, ...parallel };
}
