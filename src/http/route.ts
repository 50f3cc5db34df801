import type { z } from "zod";
import type { Caller } from "../auth/callers.ts";
import type { SessionOwner } from "../auth/sessions/sessions.ts";
import type { Tag } from "./docs/tags.ts";
import type { Exchange } from "./exchange.ts";
import type { AnswerOf, Extras } from "./route-answer.ts";
import type { Access, Method, NamedRoute, RouteDeclaration, RouteDetails } from "./route-declaration.ts";
import type { ReceivedForm } from "./uploads/receive-form.ts";

export { type AnswerDeclaration, ok, okAs, Reply, reply } from "./route-answer.ts";
export type { Access, BodyDeclaration, NamedRoute, RouteDeclaration } from "./route-declaration.ts";

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

type Named<Name extends string> = Name extends `${infer Verb extends Method} ${infer Path}`
  ? { method: Verb; path: Path }
  : never;

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

/** A route with the handler that has its dependencies. */
export interface BoundRoute {
  route: NamedRoute;
  handler: (request: AnyRequest) => unknown;
}

/** The request as the pipeline passes it to any handler. */
export interface AnyRequest {
  exchange: Exchange;
  caller: CallerOf<Access>;
  params: Readonly<Record<string, string>>;
  query: unknown;
  body: unknown;
  /** The body as it was sent, on routes with `limits`; empty on others. */
  text: string;
  /** The JSON of the body before `schema` was applied, without `admin_key`. */
  json: unknown;
  /** The body of a route that takes a form. */
  form?: ReceivedForm | undefined;
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
