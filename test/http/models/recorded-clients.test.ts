import { describe, expect, test } from "bun:test";
import { translateMessages } from "../../../src/http/models/messages/translate.ts";
import { translateResponses } from "../../../src/http/models/responses/translate.ts";
import claudeCode from "../../support/recorded/claude-code-2.1.332.json" with { type: "json" };
import codex from "../../support/recorded/codex-0.171.0.json" with { type: "json" };
import codexOtherModel from "../../support/recorded/codex-0.171.0-other-model.json" with { type: "json" };
import { countingContext } from "../../support/translated-responses.ts";
import { readStrictly } from "../../support/upstream/strict-request.ts";

/**
 * Requests of real clients, as they sent them in `test/e2e/coding-agents.test.ts`, with shortened texts: the
 * first of a conversation, and the one after a tool call.
 */
const RECORDED = [
  ["Claude Code 2.1.332", translateMessages, claudeCode],
  ["Codex 0.171.0", translateResponses, codex],
  ["Codex 0.171.0 with a model that it does not know", translateResponses, codexOtherModel],
] as const;

describe("recorded requests of coding agents", () => {
  for (const [client, translate, bodies] of RECORDED) {
    for (const [index, body] of bodies.entries()) {
      test(`request ${index + 1} of ${client} becomes a chat completion that a strict upstream takes`, () => {
        const { request } = translate(body, countingContext());
        expect(readStrictly(request)).toEqual(request as never);
      });
    }
  }

  test("tools that a client can run are offered, and those that only the vendor can run are not", () => {
    const names = (request: Record<string, unknown>) =>
      (request["tools"] as { function: { name: string } }[]).map((tool) => tool.function.name);
    const ofCodex = translateResponses(codex[0], countingContext()).request;
    expect(names(ofCodex)).toContainValues(["exec_command", "apply_patch"]);
    expect(names(ofCodex)).not.toContainAnyValues(["web_search", "tool_search"]);
    const inNamespace = names(translateResponses(codexOtherModel[0], countingContext()).request);
    expect(inNamespace.every((name) => name.startsWith("multi_agent_v1__"))).toBe(true);
  });

  test("the words and the call before a tool's result are sent again as one message", () => {
    const sent = [
      translateMessages(claudeCode[1], countingContext()),
      translateResponses(codex[1], countingContext()),
    ];
    for (const { request } of sent) {
      const messages = request["messages"] as { role: string; content: string }[];
      expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "tool"]);
      expect(messages[2]).toMatchObject({ content: "I run it.", tool_calls: [{ id: "call_1_0" }] });
      expect(messages[3]).toMatchObject({ role: "tool", tool_call_id: "call_1_0" });
    }
  });
});
