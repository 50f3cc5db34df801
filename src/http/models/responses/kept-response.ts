import { z } from "zod";
import { field, parseJson } from "../../../json/parse.ts";
import { Typed } from "./schema.ts";

/** A response as it is kept. Its texts are read only when they are needed. */
export interface KeptResponse {
  id: string;
  /** The response that it continues. */
  previous: string | undefined;
  /** The body of its request, as the caller sent it. */
  request: string;
  /** The items of the request, if it has references: with the items themselves in their place. */
  input: readonly Typed[] | undefined;
  /** The text of the response, or of the event that has it. */
  answer: string;
  /** The agent that answered, and the model that was asked for. */
  agent: string | undefined;
  model: string;
  /** The answer is its upstream's, which may keep it too. */
  isNative: boolean;
  /** Milliseconds since 1970. */
  at: number;
  /** The length of all texts. */
  length: number;
}

type Fields = Record<string, unknown>;

/** Returns the response that the text of an answer is or has; undefined if it is not one. */
export function responseIn(answer: string): Fields | undefined {
  const value = parseJson(answer);
  const inner = field(value, "response");
  if (typeof inner === "object" && inner !== null) return inner as Fields;
  return typeof value === "object" && value !== null ? (value as Fields) : undefined;
}

export const responseOf = ({ answer }: Pick<KeptResponse, "answer">): Fields | undefined =>
  responseIn(answer);

const Items = z.array(Typed).catch([]);

/** Returns the items of an answer. */
export const outputOf = (response: Pick<KeptResponse, "answer">): Typed[] => outputIn(responseOf(response));

/** Returns the items of a response that was read. */
export const outputIn = (response: Fields | undefined): Typed[] => Items.parse(response?.["output"]);

/** Returns the items of a request, without those of the response that it continues. */
export function inputOf({ input, request }: Pick<KeptResponse, "input" | "request">): readonly Typed[] {
  return input ?? itemsOf(field(parseJson(request), "input"));
}

/** Returns an input as items: a text is a message of the user. */
export function itemsOf(input: unknown): Typed[] {
  return typeof input === "string" ? [{ type: "message", role: "user", content: input }] : Items.parse(input);
}

/** Whether the agent's upstream says that it keeps the response too. */
export const isKeptUpstream = (response: KeptResponse): boolean =>
  response.isNative && response.agent !== undefined && responseOf(response)?.["store"] === true;
