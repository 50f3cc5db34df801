import { describe, expect, test } from "bun:test";
import type { NewObject } from "../../../src/store/store.ts";
import { newUser } from "../rows.ts";
import { type BackEnd, countIn } from "./back-end.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (body: Uint8Array | undefined) => body && new TextDecoder().decode(body);

const object = (
  owner: string | null,
  id: string,
  { at = 5, text = `${id} of ${owner}`, items = [] as string[] } = {},
): NewObject => ({
  ...{ owner, id, at, length: text.length },
  encode: async () => ({ body: bytes(text), items }),
});

/** Defines the tests of the responses and conversations of the Responses API. */
export function testResponses(backEnd: BackEnd): void {
  async function scene(conversationQuotaBytes?: number) {
    const data = await backEnd.create();
    const open = () => data.open({ ...(conversationQuotaBytes && { conversationQuotaBytes }) });
    const store = await open();
    await store.users.add([newUser("ann"), newUser("a/b")]);
    return { ...store, data, open };
  }

  describe("objects of the Responses API", () => {
    test("an object and its items are found by its owner only, at once and also by another process", async () => {
      const { responses, open } = await scene();
      responses.put(object("ann", "resp_1", { items: ["msg_1", "msg_2", "msg_1"] }));
      responses.put(object(null, "resp_1"));
      responses.put(object("a/b", "resp_2", { items: ["msg_1"] }));
      expect(textOf((await responses.find("ann", "resp_1"))?.body)).toBe("resp_1 of ann");
      expect(textOf((await responses.find(null, "resp_1"))?.body)).toBe("resp_1 of null");
      const other = (await open()).responses;
      expect((await other.findByItem("ann", "msg_2"))?.id).toBe("resp_1");
      expect((await other.findByItem("a/b", "msg_1"))?.id).toBe("resp_2");
      expect(await other.findByItem(null, "msg_1")).toBeUndefined();
      expect(await other.find("a/b", "resp_1")).toBeUndefined();
      expect(await other.find("a", "b/resp_2")).toBeUndefined();
    });

    test("an object that is put again is replaced, and deleted with its items", async () => {
      const { responses, data } = await scene();
      responses.put(object("ann", "resp_1", { text: "one", items: ["msg_1"] }));
      await responses.find("ann", "resp_1");
      responses.put(object("ann", "resp_1", { text: "two", items: ["msg_1", "msg_2"] }));
      expect(textOf((await responses.find("ann", "resp_1"))?.body)).toBe("two");
      expect(await countIn(data, "response_items")).toBe(2);
      expect(await responses.delete(null, "resp_1")).toBe(false);
      expect(await responses.delete("ann", "resp_1")).toBe(true);
      expect(await responses.delete("ann", "resp_1")).toBe(false);
      expect(await countIn(data, "response_items")).toBe(0);
    });

    test("of two changes to one revision of an object, the second is not made", async () => {
      const { responses } = await scene();
      const change = (text: string) => ({ owner: "ann", id: "conv_1", at: 5, body: bytes(text), items: [] });
      expect(await responses.replace(change("first"), 0)).toBe(true);
      expect(await responses.replace(change("again"), 0)).toBe(false);
      const { revision = 0 } = (await responses.find("ann", "conv_1")) ?? {};
      expect(await responses.replace(change("second"), revision)).toBe(true);
      expect(await responses.replace(change("late"), revision)).toBe(false);
      expect(textOf((await responses.find("ann", "conv_1"))?.body)).toBe("second");
      expect(await responses.replace({ ...change("x"), id: "conv_2" }, 1)).toBe(false);
    });

    test("the objects of a deleted user are deleted, those that are not written yet too", async () => {
      const { responses, users, data } = await scene();
      responses.put(object("ann", "resp_1", { items: ["msg_1"] }));
      await responses.find("ann", "resp_1");
      responses.put(object("ann", "resp_2"));
      responses.put(object(null, "resp_3"));
      await users.delete("ann");
      await responses.find(null, "resp_3");
      expect(await responses.find("ann", "resp_2")).toBeUndefined();
      expect(await countIn(data, "response_objects")).toBe(1);
      expect(await countIn(data, "response_items")).toBe(0);
    });

    test("the purge deletes what was last used before a time", async () => {
      const { responses } = await scene();
      for (const at of [1, 2, 3]) responses.put(object("ann", `resp_${at}`, { at }));
      expect(await responses.purge(3)).toBe(2);
      expect(await responses.find("ann", "resp_2")).toBeUndefined();
      expect(await responses.find("ann", "resp_3")).toBeDefined();
    });

    test("the oldest objects of a user give way when they take more than the quota", async () => {
      const { responses, data } = await scene(20_000);
      responses.put(object(null, "resp_0"));
      for (let at = 0; at < 40; at++) {
        responses.put(object("ann", `resp_${at}`, { at, text: "x".repeat(1_000) }));
        await responses.find("ann", `resp_${at}`);
      }
      expect(await responses.find("ann", "resp_39")).toBeDefined();
      expect(await responses.find("ann", "resp_5")).toBeUndefined();
      expect(await responses.find(null, "resp_0")).toBeDefined();
      expect(await countIn(data, "response_objects")).toBeLessThan(12);
    });
  });
}
