import { expect, test } from "bun:test";
import { describeUser } from "../../src/auth/user-fields.ts";

test("a user is described without the token", () => {
  const attributes = {
    ...{ name: "Ann", expiresAt: 2_000, models: ["llama"] },
    ...{ requestsPerMinute: 1, tokensPerDay: 2, maxParallel: 3 },
  };
  const user = { id: "ann", token: "secret", createdAt: 0, disabledAt: 1_000, ...attributes };
  expect(describeUser(user)).toEqual({
    user_id: "ann",
    created_at: "1970-01-01T00:00:00.000Z",
    disabled_at: "1970-01-01T00:00:01.000Z",
    ...{ name: "Ann", expires_at: "1970-01-01T00:00:02.000Z", models: ["llama"] },
    ...{ requests_per_minute: 1, tokens_per_day: 2, max_parallel: 3 },
  });
});
