import { z } from "zod";
import { ok, okAs, reply, resource, route } from "../route.ts";
import { namedObject, text } from "../values.ts";
import { FALLIBLE_PARTS, type Readiness } from "./readiness.ts";

const nodes = z
  .int()
  .min(1)
  .optional()
  .describe("In a cluster, how many nodes are in touch with this one, itself included.");
const Ready = namedObject("Ready", {
  status: z.literal("ready"),
  nodes,
  degraded: z
    .array(z.enum(FALLIBLE_PARTS))
    .optional()
    .describe(
      "What fails, while requests of known users are served: the database, the way to the other nodes, or the renewal of the certificate. Left out if nothing fails.",
    ),
});
const NotReady = namedObject("NotReady", {
  status: z.literal("not ready"),
  nodes,
  reasons: z.array(text).min(1),
});

interface HealthDeps {
  readiness: Readiness;
  /** Returns how many nodes of the cluster are in touch; undefined for a single server. */
  countNodes?: (() => number) | undefined;
}

const ROUTES = {
  readHealth: route("GET /health", {
    access: "none",
    isProbe: true,
    summary: "Check that the process responds",
    answers: okAs("text/plain", "It responds.", { description: "`OK`.", example: "OK" }),
  }),
  readReadiness: route("GET /ready", {
    access: "none",
    isProbe: true,
    summary: "Check whether requests can be served, and if not, why",
    query: z.object({
      agents: z
        .string()
        .regex(/^\d{1,6}$/, "give a whole number")
        .default("1")
        .describe("How many agents must accept requests. 0: agents are not checked."),
    }),
    answers: {
      ...ok("Requests can be served.", Ready, { status: "ready" }),
      503: {
        description: "Requests cannot be served, for these reasons.",
        json: NotReady,
        example: { status: "not ready", reasons: ["no agent accepts requests"] },
      },
    },
  }),
};

/** Health checks. They need no key, so their answers tell nothing that only some may know. */
export const healthRoutes = resource("Operations", ROUTES).handledBy(
  ({ readiness, countNodes }: HealthDeps) => ({
    readHealth: () => new Response("OK", { headers: { "content-type": "text/plain; charset=utf-8" } }),

    async readReadiness({ query: { agents } }) {
      const { reasons, degraded } = await readiness(Number(agents));
      const cluster = countNodes && { nodes: countNodes() };
      if (reasons.length > 0) return reply(503, { status: "not ready", ...cluster, reasons });
      return { status: "ready", ...cluster, ...(degraded.length > 0 && { degraded }) };
    },
  }),
);
