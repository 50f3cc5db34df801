import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { parseShape } from "../../../src/http/middleware/body.ts";
import { readShape } from "../../../src/http/models/refuse.ts";
import { failureOf } from "../../support/store.ts";

const SHAPE = z.object({ models: z.array(z.object({ id: z.string() })) });

describe("a value that does not have its shape", () => {
  test("the first field at fault is named by its path, in the hint and as param", async () => {
    const error = await failureOf(() => parseShape(SHAPE, { models: [{ id: 1 }] }, "request_invalid"));
    expect(error).toMatchObject({
      code: "request_invalid",
      param: "models[0].id",
      hint: "`models[0].id` is not valid: expected a text, not a number.",
    });
  });

  test("a part of a body is named by its whole path, in the same notation", async () => {
    const error = await failureOf(() => readShape(SHAPE, { models: [{}] }, "input[3]"));
    expect(error).toMatchObject({ code: "body_invalid", param: "input[3].models[0].id" });
  });

  test("a body that is not an object has no field to name", async () => {
    const error = await failureOf(() => parseShape(SHAPE, [], "ask_invalid"));
    expect(error).toMatchObject({ param: undefined, hint: expect.stringContaining("The body is not valid") });
  });
});
