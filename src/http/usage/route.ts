import type { Hono } from "hono";
import { principalNamed, userPrincipal } from "../../principal.ts";
import type { UsageGroup } from "../../store/store.ts";
import { admitAdmin } from "../admin/admit.ts";
import type { HttpDeps, HttpEnv } from "../context.ts";
import { showLimits } from "../middleware/limits.ts";
import { answerUsage } from "./answer.ts";
import { readUsageQuery } from "./query.ts";

/** Who asked and which agent answered is not for users to know. */
const OWN_GROUPS: readonly UsageGroup[] = ["model", "day"];

/** What was used, of all users, of one, and of the one who asks. */
export function usageRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  const { callers, limits, usage, now } = deps;

  app.get("/admin/usage", (c) => {
    admitAdmin(c, deps);
    const question = readUsageQuery(c.req.query(), now());
    const whose = question.user === undefined ? undefined : principalNamed(question.user);
    return answerUsage(usage, question, whose);
  });

  // A user that was deleted, or never was, is no error: the rows outlive their users.
  app.get("/admin/users/:id/usage", (c) => {
    admitAdmin(c, deps);
    return answerUsage(usage, readUsageQuery(c.req.query(), now()), userPrincipal(c.req.param("id")));
  });

  app.get("/api/usage", async (c) => {
    const caller = await callers.identify(c.req.raw.headers);
    c.set("principal", caller.principal);
    showLimits(c, limits, caller);
    return answerUsage(usage, readUsageQuery(c.req.query(), now(), OWN_GROUPS), caller.principal);
  });
}
