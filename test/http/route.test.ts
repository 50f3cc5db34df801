import { expect, test } from "bun:test";
import { z } from "zod";
import { reply, resource, route } from "../../src/http/route.ts";

const Pet = z.strictObject({ id: z.string(), kind: z.enum(["cat", "dog"]), names: z.array(z.string()) });
const PET = { id: "7", kind: "dog", names: ["Rex"] };
const ANSWER = { description: "The pet.", json: Pet, example: PET } as const;
const SAME = { access: "none", summary: "A pet" } as const;

const readPet = route("GET /pets/:id", { ...SAME, params: { id: "Its id." }, answers: { 200: ANSWER } });
const findPet = route("GET /pets", {
  ...SAME,
  query: z.object({ name: z.string(), limit: z.coerce.number().optional() }),
  answers: {
    200: ANSWER,
    202: { description: "Later.", json: z.strictObject({ job: z.int() }), example: 1 },
  },
});
const showPet = route("GET /pet", {
  ...SAME,
  access: "caller",
  answers: { 200: { ...ANSWER, other: { "text/csv": { description: "A line.", example: "7" } } } },
});
const addPet = route("POST /pets", {
  ...SAME,
  access: "adminOrBody",
  body: { schema: z.object({ name: z.string() }), example: { name: "Rex" } },
  answers: { 200: ANSWER },
});
const watchPet = route("GET /live", { ...SAME, answers: { 101: { description: "The socket is open." } } });

const pets = <Routes extends Parameters<typeof resource>[1]>(routes: Routes) =>
  resource("Operations", routes);

/** The faults below are found by the type check: a line that compiles after all makes it fail. */
test("a handler answers what its route declares, or does not compile", () => {
  const pet = { id: "7", kind: "dog", names: ["Rex"] } as const;
  const accepted = [
    pets({ readPet }).handledBy(() => ({ readPet: ({ params }) => ({ ...pet, id: params.id }) })),
    pets({ readPet }).handledBy(() => ({ readPet: async () => reply(200, pet, { etag: '"1"' }) })),
    pets({ findPet }).handledBy(() => ({
      findPet: ({ query }) => (query.limit === 1 ? pet : reply(202, { job: 1 })),
    })),
    pets({ showPet }).handledBy(() => ({
      showPet: ({ caller }) => (caller.principal.kind === "admin" ? pet : new Response("7")),
    })),
    pets({ addPet }).handledBy(() => ({ addPet: ({ body }) => ({ ...pet, names: [body.name] }) })),
    pets({ watchPet }).handledBy(() => ({ async watchPet() {} })),
  ];

  const refused = [
    // @ts-expect-error A field is missing.
    pets({ readPet }).handledBy(() => ({ readPet: () => ({ id: "7", kind: "dog" }) })),
    // @ts-expect-error A field has another type.
    pets({ readPet }).handledBy(() => ({ readPet: async () => ({ ...pet, id: 7 }) })),
    // @ts-expect-error A field has a value that is not in its list.
    pets({ readPet }).handledBy(() => ({ readPet: () => ({ ...pet, kind: "cow" }) })),
    // @ts-expect-error A field is not declared.
    pets({ readPet }).handledBy(() => ({ readPet: () => ({ ...pet, secret: "x" }) })),
    // @ts-expect-error A field is not declared, in an answer that comes later.
    pets({ readPet }).handledBy(() => ({ readPet: async () => reply(200, { ...pet, secret: "x" }) })),
    // @ts-expect-error A field is not declared, in one of two answers.
    pets({ readPet }).handledBy(() => ({ readPet: () => (pet ? pet : { ...pet, x: 1 }) })),
    // @ts-expect-error The status is not declared.
    pets({ readPet }).handledBy(() => ({ readPet: () => reply(201, pet) })),
    // @ts-expect-error The status has another body.
    pets({ findPet }).handledBy(() => ({ findPet: () => reply(202, pet) })),
    // @ts-expect-error Only a 200 may be returned as it is.
    pets({ findPet }).handledBy(() => ({ findPet: () => ({ job: 1 }) })),
    // @ts-expect-error The answer is declared to be JSON.
    pets({ readPet }).handledBy(() => ({ readPet: () => new Response("7") })),
    // @ts-expect-error A socket is answered with nothing.
    pets({ watchPet }).handledBy(() => ({ watchPet: () => new Response("7") })),
    // @ts-expect-error The path has no such parameter.
    pets({ readPet }).handledBy(() => ({ readPet: ({ params }) => ({ ...pet, id: params.name }) })),
    // @ts-expect-error The query has no such field.
    pets({ findPet }).handledBy(() => ({ findPet: ({ query }) => ({ ...pet, id: query.id }) })),
    // @ts-expect-error The body's field is text.
    pets({ addPet }).handledBy(() => ({ addPet: ({ body }) => reply(body.name, pet) })),
    // @ts-expect-error Nobody is authenticated here.
    pets({ readPet }).handledBy(() => ({ readPet: ({ caller }) => ({ ...pet, id: caller.session }) })),
    // @ts-expect-error A handler is missing.
    pets({ readPet, findPet }).handledBy(() => ({ readPet: () => pet })),
  ];
  expect([accepted.length, refused.length]).toEqual([6, 16]);
});

test("a declaration describes each parameter of its path and no other, or does not compile", () => {
  const answers = { 200: ANSWER };
  const refused = [
    // @ts-expect-error The parameter is not described.
    route("GET /pets/:id", { ...SAME, answers }),
    // @ts-expect-error Another parameter is described.
    route("GET /pets/:id", { ...SAME, params: { name: "Its name." }, answers }),
    // @ts-expect-error The path has no parameter.
    route("GET /pets", { ...SAME, params: { id: "Its id." }, answers }),
    // @ts-expect-error There is no such access.
    route("GET /pets", { ...SAME, access: "everyone", answers }),
    // @ts-expect-error There is no such error.
    route("GET /pets", { ...SAME, answers, errors: ["pet_unknown"] }),
  ];
  expect(refused.length).toBe(5);
  route("GET /pets/:id{.+}/names/:name", {
    ...SAME,
    params: { id: "Its id.", name: "Its name." },
    answers,
  });
});
