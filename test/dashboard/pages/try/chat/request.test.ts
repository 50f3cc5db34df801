import { expect, test } from "bun:test";
import { requestFor } from "../../../../../src/dashboard/pages/try/chat/request.ts";
import { EMPTY_SETTINGS } from "../../../../../src/dashboard/pages/try/chat/types.ts";

const SETTINGS = { ...EMPTY_SETTINGS, models: ["m"] };

test("a request has the images of a question, and only the parameters that are set and allowed", () => {
  const url = "data:image/png;base64,AA==";
  const question = { text: "What is it?", images: [{ url, name: "a.png" }] };
  const more = { temperature: "0.5", topP: "3", maxTokens: "1.5", stop: 'END\n\n"', isJson: true };
  expect(requestFor([], question, { ...SETTINGS, ...more }, 0)).toEqual({
    model: "m",
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What is it?" },
          { type: "image_url", image_url: { url } },
        ],
      },
    ],
    temperature: 0.5,
    stop: ["END", '"'],
    response_format: { type: "json_object" },
  });
  expect(Object.keys(requestFor([], { text: "Hi", images: [] }, SETTINGS, 0))).toEqual(["model", "messages"]);
});
