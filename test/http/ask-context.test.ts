import { expect, test } from "bun:test";
import { createCallers } from "../../src/auth/callers.ts";
import { createSecret, hashSecret } from "../../src/auth/secret.ts";
import { askPolicyOf } from "../../src/http/ask-context.ts";
import { openTestStore } from "../support/store.ts";

/** Returns the policy for the holder of a key: Ann's token is "ann-token", the admin key "admin-key". */
async function scene() {
  const { users } = openTestStore();
  await users.add([{ id: "ann", tokenHash: hashSecret("ann-token"), sealedToken: Buffer.of() }]);
  const callers = createCallers({ adminKey: createSecret("admin-key"), users });
  const policyOf = async (key: string) =>
    askPolicyOf(await callers.identify(new Headers({ authorization: key })));
  return { users, callers, policyOf };
}

test("a user's priority and agent tags are part of each of their asks, and the administrator has none", async () => {
  const { users, policyOf } = await scene();
  await users.change("ann", { priority: "low", agentTags: ["home", "gpu"] });
  expect(await policyOf("ann-token")).toEqual({ priority: "low", tags: [["home", "gpu"]] });
  expect(await policyOf("admin-key")).toEqual({ priority: undefined, tags: undefined });
});

test("a user without a priority and tags has the default priority, and may use every agent", async () => {
  const { policyOf } = await scene();
  expect(await policyOf("ann-token")).toEqual({ priority: undefined, tags: undefined });
});

test("a change of a user is in force for their next request", async () => {
  const { users, callers, policyOf } = await scene();
  expect(await policyOf("ann-token")).toEqual({ priority: undefined, tags: undefined });
  await users.change("ann", { priority: "high", agentTags: ["eu"] });
  callers.forget("ann");
  expect(await policyOf("ann-token")).toEqual({ priority: "high", tags: [["eu"]] });
});
