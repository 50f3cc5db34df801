import type { Notifier } from "../../alerts/webhook/notifier.ts";
import { AppError } from "../../errors.ts";
import type { Problem } from "../../protocol/node/problems.ts";
import { ok, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import { problemAnswers } from "./answers.ts";
import { ProblemList, WebhookTested } from "./schema.ts";

interface AlertDeps {
  /** The problems of all nodes. */
  problems: () => readonly Problem[];
  notifier: Pick<Notifier, "test">;
  /** Milliseconds since 1970. */
  now: () => number;
}

const ROUTES = {
  listProblems: route("GET /admin/problems", {
    access: "admin",
    summary: "List what is wrong now",
    description:
      "In words, and as a stable `code` with `details`. Empty if all is well. A problem is listed once it has lasted for some seconds, and until it has been gone for some. Many of one kind are listed as one.",
    answers: ok("The problems.", ProblemList, {
      at: SAMPLE.laterTime,
      problems: [
        {
          ...{ id: `requests_waiting:${SAMPLE.model}`, code: "requests_waiting", severity: "critical" },
          since: SAMPLE.time,
          message: `4 requests wait for ${SAMPLE.model}: its only agent, gpu box, has been failing for 3 min: connection refused. The oldest has waited 42 s.`,
          hint: "Look at the model server beside the agent.",
          details: {
            ...{ models: [SAMPLE.model], agents: [{ id: SAMPLE.agentId, name: "gpu box" }], count: 1 },
            ...{ requests: 4, wait_ms: 42_180, cause: "failing", reason: "connection refused" },
          },
        },
      ],
    }),
  }),
  testWebhook: route("POST /admin/webhook/test", {
    access: "admin",
    summary: "Send a test message to the alert webhook",
    description: "Sends it once, without another try, and says what the receiver answered.",
    answers: ok("What became of the message.", WebhookTested, {
      ...{ delivered: false, status: 404, answer: "no_team", format: "slack" },
    }),
    errors: ["webhook_unset"],
  }),
};

/** The problems, and the messages about them. */
export const alertRoutes = resource("Server", ROUTES).handledBy(({ problems, notifier, now }: AlertDeps) => ({
  listProblems() {
    const at = now();
    return { at: new Date(at).toISOString(), problems: problemAnswers(problems(), at) };
  },

  async testWebhook() {
    const result = await notifier.test();
    if (!result)
      throw new AppError("webhook_unset", {
        hint: "Set one with --alert-webhook, or with the setting `webhook`.",
      });
    const { isDelivered, status, answer, format } = result;
    return { delivered: isDelivered, status: status ?? null, answer, format };
  },
}));
