import { expect, test } from "bun:test";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { addLimitedUser } from "../../support/user-caller.ts";

test("the list of users can be had without any token", async () => {
  const { url } = await startTestServer();
  const { user_id, token } = await addLimitedUser(url, { name: "Ann" });
  const list = async (query: string) => {
    const response = await fetch(`${url}/admin/users${query}`, { headers: { authorization: ADMIN_KEY } });
    return response.text();
  };
  const text = await list("?details=true&tokens=false");
  expect(text).not.toContain(token);
  expect(JSON.parse(text).users).toMatchObject([{ user_id, name: "Ann", disabled_at: null }]);
  expect(JSON.parse(await list("?tokens=false"))).toEqual({ users: [{ user_id }] });
  // The list of the Go server is as it was.
  expect(JSON.parse(await list(""))).toEqual({ users: [{ token, user_id }] });
});
