import type { z } from "zod";
import type { Caller } from "../auth/callers.ts";
import type { SessionOwner } from "../auth/sessions.ts";
import type { ErrorCode } from "../errors.ts";
import type { HttpContext } from "./context.ts";
import type { Tag } from "./docs/tags.ts";
import type { ErrorStyle } from "./errors/style.ts";
import type { AnswerDeclaration, AnswerOf, Extras } from "./route-answer.ts";

export { type AnswerDeclaration, ok, okAs, Reply, reply } from "./route-answer.ts";

/**
 * A route is one declaration. From it come the registration, the authentication, the checks of query and
 * body, the type of the handler's answer, and the route's part of the OpenAPI document. The routes of a
 * resource stand beside their handlers, which get the dependencies of that resource and no others:
 *
 *     const ROUTES = {
 *       renamePet: route("PATCH /admin/pets/:id", {
 *         access: "adminOrBody",
 *         summary: "Rename a pet",
 *         params: { id: "The pet's id." },
 *         body: { schema: z.object({ name: z.string().describe("The new name.") }), example: { name: "Rex" } },
 *         answers: {
 *           ...ok("The renamed pet.", Pet, { id: "7", name: "Rex" }),
 *           202: { description: "It will be renamed later.", json: Job, example: { job: "1" } },
 *         },
 *         errors: ["pet_unknown"],
 *       }),
 *     };
 *
 *     export const petRoutes = resource("Pets", ROUTES).handledBy(({ pets }: { pets: Pets }) => ({
 *       async renamePet({ params, body }) {
 *         const pet = await pets.rename(params.id, body.name);
 *         return pet.isAsleep ? reply(202, { job: pet.job }) : { id: pet.id, name: pet.name };
 *       },
 *     }));
 *
 * The name of a route, such as `renamePet`, is its `operationId`, and its section of the documentation is
 * the resource's (`Pets`). The path is in Hono's notation. A handler returns the body of a 200 as it
 * is. It uses `reply` for any other declared status, and to add headers. A status, a body or a field that is
 * not declared does not compile. If a declared answer is not (only) JSON, the handler may also return a
 * `Response`. After a declared 101 it returns nothing, as the runtime owns the socket by then. It throws an
 * `AppError` for any failure.
 *
 * Add a new resource to `resources.ts`, and its dependencies to `server/compose.ts`.
 */
export function route<const Name extends `${Method} /${string}`, const Details extends RouteDetails>(
  name: Name,
  details: Details & NamesItsParams<Name>,
): Details & Named<Name> {
  const [method, path] = name.split(" ");
  return { ...details, ...({ method, path } as Named<Name>) };
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

type Named<Name extends string> = Name extends `${infer Verb extends Method} ${infer Path}`
  ? { method: Verb; path: Path }
  : never;

export interface RouteDeclaration extends RouteDetails {
  method: Method;
  path: string;
}

interface RouteDetails {
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
   * The fields of the body that bound the output tokens of an answer; null if the answers have none. Needed
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
  | "admin"
  | "adminOrQuery"
  | "adminOrBody"
  | "metrics"
  | "agent"
  | "agentInPath";

export interface BodyDeclaration {
  /** Checked before the handler runs. Its fields carry their descriptions. */
  schema: z.ZodType;
  /** The schema in the documentation, if it has more than the checked one. */
  documented?: z.ZodType;
  example: unknown;
  /** Default: true. For the documentation. */
  isRequired?: boolean;
  /** The error for a body that is not JSON or does not fit. Default: `body_invalid`. */
  error?: ErrorCode;
  /** Used if it is less than `--body-max`. */
  bytesMax?: number;
}

/** The request as a handler receives it. */
export interface RouteRequest<Declaration extends RouteDeclaration> extends AnyRequest {
  caller: CallerOf<Declaration["access"]>;
  params: Record<ParamName<Declaration["path"]>, string>;
  query: Declaration extends { query: infer Query extends z.ZodType } ? z.output<Query> : undefined;
  body: Declaration extends { body: { schema: infer Body extends z.ZodType } } ? z.output<Body> : undefined;
}

type CallerOf<Kind extends Access> = Kind extends "caller" | "admin" | "adminOrQuery" | "adminOrBody"
  ? Caller
  : Kind extends "signIn"
    ? SessionOwner
    : undefined;

export type RouteHandler<Declaration extends RouteDeclaration> = (
  request: RouteRequest<Declaration>,
) => RouteAnswer<Declaration> | Promise<RouteAnswer<Declaration>>;

/** The values that a handler may return. */
export type RouteAnswer<Declaration extends RouteDeclaration> = AnswerOf<Declaration["answers"]>;

type ParamName<Path extends string> = Path extends `${string}/:${infer Rest}`
  ? Rest extends `${infer Name}/${infer Tail}`
    ? Unbraced<Name> | ParamName<`/${Tail}`>
    : Unbraced<Rest>
  : never;
type Unbraced<Name extends string> = Name extends `${infer Bare}{${string}` ? Bare : Name;

/** The path's parameters are described, all of them and no others. */
type NamesItsParams<Path extends string> = [ParamName<Path>] extends [never]
  ? { params?: never }
  : { params: Readonly<Record<ParamName<Path>, string>> };

/** A route as it is served and documented. */
export interface NamedRoute extends RouteDeclaration {
  operationId: string;
  tag: Tag;
}

/** A route with the handler that has its dependencies. */
export interface BoundRoute {
  route: NamedRoute;
  handler: (request: AnyRequest) => unknown;
}

/** The request as the pipeline passes it to any handler. */
export interface AnyRequest {
  c: HttpContext;
  caller: CallerOf<Access>;
  params: Readonly<Record<string, string>>;
  query: unknown;
  body: unknown;
  /** The body as it was sent, on routes with `limits`; empty on others. */
  text: string;
  /** The JSON of the body before `schema` was applied, without `admin_key`. */
  json: unknown;
}

type Declarations = Readonly<Record<string, RouteDeclaration>>;
type Handlers<Routes extends Declarations> = { [Name in keyof Routes]: RouteHandler<Routes[Name]> };

/** Handlers that return no field which their routes do not declare. */
type WithoutExtras<Routes extends Declarations, Given extends Handlers<Routes>> = {
  [Name in keyof Routes]: Extras<Awaited<ReturnType<Given[Name]>>, RouteAnswer<Routes[Name]>> extends never
    ? unknown
    : { undeclared: Extras<Awaited<ReturnType<Given[Name]>>, RouteAnswer<Routes[Name]>> };
};

export interface Resource<Deps> {
  routes: readonly NamedRoute[];
  bind(deps: Deps): readonly BoundRoute[];
}

/**
 * Takes the routes of a resource by their operation ids. `handledBy` then takes the function that makes their
 * handlers from the resource's dependencies. These are two calls, as the types of the handlers come from the
 * declarations.
 */
export function resource<Routes extends Declarations>(tag: Tag, declarations: Routes) {
  const routes: NamedRoute[] = Object.entries(declarations).map(([operationId, declaration]) => ({
    ...declaration,
    operationId,
    tag,
  }));
  return {
    handledBy: <Deps, Given extends Handlers<Routes>>(
      createHandlers: (deps: Deps) => Given & WithoutExtras<Routes, Given>,
    ): Resource<Deps> => ({
      routes,
      bind(deps) {
        const handlers = createHandlers(deps);
        // The pipeline calls each handler with the request that its declaration describes. The types above
        // ensure that; they are lost in the list.
        const of = ({ operationId }: NamedRoute) => handlers[operationId] as BoundRoute["handler"];
        return routes.map((route) => ({ route, handler: of(route) }));
      },
    }),
  };
}
