import type { User } from "../../src/dashboard/api/types.ts";

/** Returns a user without a name and limits, unless `fields` says otherwise. */
export const userOf = (fields: Partial<User>): User => ({
  user_id: "u0",
  created_at: "2026-11-23T08:00:00.000Z",
  disabled_at: null,
  name: null,
  expires_at: null,
  models: null,
  requests_per_minute: null,
  tokens_per_day: null,
  max_parallel: null,
  budget_day: null,
  budget_month: null,
  priority: null,
  agent_tags: null,
  ...fields,
});
