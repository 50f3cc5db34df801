import type { z } from "zod";
import type { HeaderName } from "./docs/headers.ts";

export interface AnswerDeclaration {
  description: string;
  /** The shape of a JSON body. Missing if there is no body, or only `other`. */
  json?: z.ZodType;
  example?: unknown;
  /** Bodies of other media types. */
  other?: Readonly<Record<string, { description: string; example: string }>>;
  headers?: readonly HeaderName[];
  /**
   * The body is an upstream's, which usually has the shape of `json`. The handler passes it on as a
   * `Response`.
   */
  isPassedOn?: true;
}

/** Declares the answers of a route that answers 200 with this JSON, and nothing else. */
export function ok<Json extends z.ZodType>(
  description: string,
  json: Json,
  example: Sent<z.output<Json>>,
  headers: readonly HeaderName[] = [],
) {
  return { 200: { description, json, example, headers } };
}

/** Declares the answers of a route that answers 200 with a body of this other media type. */
export function okAs(
  media: string,
  description: string,
  body: { description: string; example: string },
  headers: readonly HeaderName[] = [],
) {
  return { 200: { description, headers, other: { [media]: body } } };
}

/** The values that a handler may return, by the answers that its route declares. */
export type AnswerOf<Answers extends Readonly<Record<string, AnswerDeclaration>>> = {
  [Status in keyof Answers]:
    | (Answers[Status] extends { isPassedOn: true }
        ? Response
        : Answers[Status] extends { json: infer Json extends z.ZodType }
          ? Reply<StatusOf<Status>, Sent<z.output<Json>>> | (Status extends OK ? Sent<z.output<Json>> : never)
          : Status extends Upgraded
            ? undefined
            : Response)
    | (Answers[Status] extends { other: object } ? Response : never);
}[keyof Answers];

type OK = 200 | "200";
type Upgraded = 101 | "101";
type StatusOf<Key> = Key extends number
  ? Key
  : Key extends `${infer Status extends number}`
    ? Status
    : number;

/** A value that is only read, to be written as JSON. */
type Sent<Value> = Value extends readonly (infer Item)[]
  ? readonly Sent<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Sent<Value[Key]> }
    : Value;

/** A JSON answer with its status, and headers of its own. */
export class Reply<Status extends number, Body> {
  constructor(
    readonly status: Status,
    readonly body: Body,
    readonly headers: Readonly<Record<string, string>>,
  ) {}
}

export function reply<const Status extends number, Body>(
  status: Status,
  body: Body,
  headers: Readonly<Record<string, string>> = {},
): Reply<Status, Body> {
  return new Reply(status, body, headers);
}

/** The names of the fields, at any depth, that a value has and its declaration has not. */
export type Extras<Value, Declared> = Value extends Response | string | number | boolean | null | undefined
  ? never
  : Value extends Reply<number, infer Body>
    ? Extras<Body, BodyOf<Declared>>
    : Value extends readonly (infer Item)[]
      ? Extras<Item, ItemOf<Declared>>
      :
          | Exclude<keyof Value, KeyOf<Declared>>
          | { [Key in keyof Value]-?: Extras<Value[Key], FieldOf<Declared, Key>> }[keyof Value];

type BodyOf<Declared> = Declared extends Reply<number, infer Body> ? Body : never;
type ItemOf<Declared> = Declared extends readonly (infer Item)[] ? Item : never;
type KeyOf<Declared> = Declared extends Response | readonly unknown[] | Reply<number, unknown>
  ? never
  : Declared extends object
    ? keyof Declared
    : never;
type FieldOf<Declared, Key> = Declared extends object
  ? Key extends keyof Declared
    ? Declared[Key]
    : never
  : never;
