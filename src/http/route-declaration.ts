import type { z } from "zod";
import type { ErrorCode } from "../errors.ts";
import type { Tag } from "./docs/tags.ts";
import type { ErrorStyle } from "./errors/style.ts";
import type { AnswerDeclaration } from "./route-answer.ts";

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

export interface RouteDeclaration extends RouteDetails {
  method: Method;
  path: string;
}

export interface RouteDetails {
  access: Access;
  summary: string;
  description?: string;
  /** Describes each parameter of the path. */
  params?: Readonly<Record<string, string>>;
  /**
   * Checked before the handler runs; otherwise the error is `request_invalid`. Its fields carry their
   * descriptions.
   */
  query?: z.ZodObject;
  body?: BodyDeclaration;
  /** By status. The errors of `errors` need no entry. */
  answers: Readonly<Record<string, AnswerDeclaration>>;
  /** The errors that the handler may throw, besides those of the access, the checks and the server itself. */
  errors?: readonly ErrorCode[];
  /** The shape of its errors. Default: `referenceStyle`. */
  style?: ErrorStyle;
  /** The shape of its errors for requests with this header, by which another client is known. */
  headerStyle?: { header: string; style: ErrorStyle };
  /**
   * `admit`: the request counts against its user's limits. It is admitted before its body is read, so a user
   * above their limits costs next to nothing. `show`: its answers only tell how much is left. Both need the
   * access `caller`.
   */
  limits?: "admit" | "show";
  /**
   * The fields of the body that bound the output tokens of an answer, such as `options.num_predict`; null if the answers have none. Needed
   * to reserve the tokens of a request with the limits `admit`.
   */
  outputLimits?: readonly string[] | null;
  /** An upstream's error keeps its status, and also its body if that has the style of the route. */
  passesErrorsOn?: true;
  /** Machines request it again and again, so it is logged at the level `debug`. */
  isProbe?: true;
}

/** Who may call a route, and where their key may stand; `docs/access.ts` explains each. */
export type Access =
  | "none"
  | "caller"
  | "signIn"
  | "code"
  | "admin"
  | "adminOrQuery"
  | "adminOrBody"
  | "metrics"
  | "agent"
  | "agentInPath";

export interface BodyDeclaration {
  /** Checked before the handler runs. Its fields carry their descriptions. */
  schema: z.ZodType;
  /**
   * Tried before the schema, which takes longer. Returns what the schema would return, or undefined if the schema must
   * judge.
   */
  plain?: (value: unknown) => unknown;
  /** The schema in the documentation, if it has more than the checked one. */
  documented?: z.ZodType;
  example: unknown;
  /** Default: true. For the documentation. */
  isRequired?: boolean;
  /** The error for a body that is not JSON or does not fit. Default: `body_invalid`. */
  error?: ErrorCode;
  /** The body is a form (`multipart/form-data`), of which the server reads only the name of the model. */
  isForm?: true;
  /** Used if it is less than `--body-max`. */
  bytesMax?: number;
}

/** A route as it is served and documented. */
export interface NamedRoute extends RouteDeclaration {
  operationId: string;
  tag: Tag;
}
