import { describe, expect, test } from "bun:test";
import {
  errorInGoodStatus,
  isAboutAccount,
  oneLine,
  readUpstreamError,
} from "../../src/json/upstream-error.ts";

const reasonIn = (body: unknown) =>
  readUpstreamError(typeof body === "string" ? body : JSON.stringify(body)).message;
const WHY = "context too long: 9000";

describe("the reason in an upstream's error", () => {
  test.each<[string, unknown]>([
    ["OpenAI", { error: { message: WHY, type: "invalid_request_error", param: null, code: null } }],
    ["Anthropic", { type: "error", error: { type: "invalid_request_error", message: WHY } }],
    ["Ollama", { error: WHY }],
    ["vLLM", { object: "error", message: WHY, type: "BadRequestError", param: null, code: 400 }],
    ["Mistral", { object: "error", message: { detail: [{ msg: WHY }] }, type: "invalid" }],
    ["FastAPI with a text", { detail: WHY }],
    ["FastAPI with an object", { detail: { error: { message: WHY } } }],
    ["AWS", { message: WHY }],
    ["Google", [{ error: { code: 400, message: WHY, status: "INVALID_ARGUMENT" } }]],
    ["gateways with msg", { code: 40001, msg: WHY }],
    ["gateways with a flag", { error: true, success: false, message: WHY }],
    ["JSON:API", { errors: [{ status: "400", title: "Bad Request", detail: WHY }] }],
    ["MiniMax", { choices: null, base_resp: { status_code: 1004, status_msg: WHY } }],
    ["RFC 9457", { type: "about:blank", title: "Bad Request", status: 400, detail: WHY }],
    ["nested errors", { error: { error: { message: WHY } } }],
    ["plain text", `${WHY}\n`],
    ["a JSON text", JSON.stringify(WHY)],
    ["a page with a title", `<!DOCTYPE html><html><head><title>${WHY}</title></head><body>x</body></html>`],
    ["a page with a heading", `<html><body><H1 class="a">${WHY}</H1><p>nginx</p></body></html>`],
    ["an event", `event: error\ndata: ${JSON.stringify({ error: { message: WHY } })}\n\n`],
    ["a fragment", `<h1>${WHY}</h1>`],
  ])("the reason is found in the shape of %s", (_, body) => {
    expect(reasonIn(body)).toBe(WHY);
  });

  test("lists of FastAPI are joined, each with its field", () => {
    const detail = [
      { type: "missing", loc: ["body", "messages", 0], msg: "Field required", input: {} },
      { type: "int", loc: ["body", "n"], msg: "Not an integer" },
    ];
    expect(reasonIn({ detail })).toBe("body.messages.0: Field required; body.n: Not an integer");
  });

  test("the name of a status does not hide the message beside it, and OpenRouter's provider is heard", () => {
    expect(reasonIn({ statusCode: 400, error: "Bad Request", message: WHY })).toBe(`Bad Request: ${WHY}`);
    const raw = JSON.stringify({ error: { message: WHY } });
    const error = { message: "Provider returned error", code: 400, metadata: { raw, provider_name: "x" } };
    expect(reasonIn({ error })).toBe(`Provider returned error: ${WHY}`);
  });

  test("entities and line breaks of a page become text", () => {
    expect(reasonIn("<html><title>\n 502 Bad&nbsp;Gateway &amp; more\n</title></html>")).toBe(
      "502 Bad Gateway & more",
    );
  });

  test("without words, the code or the type of the error is its reason", () => {
    expect(reasonIn({ error: { type: "overloaded_error" } })).toBe("overloaded_error");
    expect(reasonIn({ error: { message: "", code: "overheated", type: "x" } })).toBe("overheated");
  });

  test.each([
    "",
    " ",
    "null",
    "{}",
    "[]",
    '"undefined"',
    '{"error":null}',
    '{"error":{"message":"undefined"}}',
  ])("the body %j has no reason", (body) => {
    expect(reasonIn(body)).toBeUndefined();
  });

  test("a reason is one line of bounded length, without control characters", () => {
    const reason =
      reasonIn({ error: `a\u0000b\r\n\u001b[31mc\u202ed\u2028e\ud800${"x".repeat(5000)}` }) ?? "";
    expect(reason).toStartWith("a b [31mc d e\ufffdxxx");
    expect(reason).toEndWith("x…");
    expect(reason).toHaveLength(1000);
    expect(reasonIn("x".repeat(10_000_000))).toHaveLength(1000);
    expect(oneLine("\u0007")).toBeUndefined();
  });

  test("bodies made to be slow or deep are read all the same", () => {
    expect(reasonIn(`<html>${"<script".repeat(500_000)}`)).toBeString();
    expect(reasonIn(`<title>${"<".repeat(1_000_000)}`)).toBeString();
    expect(reasonIn("[".repeat(100_000))).toBeString();
  });

  test("the type, the code and the status are read from the error, or beside the message", () => {
    expect(readUpstreamError('{"error":{"message":"m","type":"t","code":"c"}}')).toMatchObject({
      type: "t",
      code: "c",
    });
    expect(readUpstreamError('{"object":"error","message":"m","type":"t","code":404}')).toMatchObject({
      type: "t",
      status: 404,
    });
    expect(readUpstreamError('{"error":{"message":"m","code":"429"}}').status).toBe(429);
    expect(readUpstreamError('{"error":"m","status":200}').status).toBeUndefined();
  });
});

describe("an error with a good status", () => {
  test.each([
    { error: { message: WHY } },
    { error: WHY },
    { error: { message: WHY }, choices: [] },
    { error: { message: WHY }, choices: null },
    { type: "error", error: { type: "api_error", message: WHY } },
    { object: "error", message: WHY },
    { code: 500, msg: WHY, success: false },
  ])("%j is an error", (body) => {
    expect(errorInGoodStatus(JSON.stringify(body))?.message).toBe(WHY);
  });

  test.each([
    { error: {} },
    { error: true },
    { error: { message: null } },
    { error: { message: "undefined" } },
  ])("%j is an error without a reason", (body) => {
    expect(errorInGoodStatus(JSON.stringify(body))).toMatchObject({ message: undefined });
  });

  test.each([
    { error: null },
    { error: false },
    { error: "" },
    { choices: [{ message: { content: 'it says {"error":"no"}' } }] },
    { choices: [{ message: { content: "x" } }], error: null },
    { object: "response", status: "failed", error: { message: "x" }, output: [] },
    { type: "message", content: [] },
    { object: "list", data: [] },
    { input_tokens: 3 },
    { id: "x", type: "unknown", code: "x" },
    {},
  ])("%j is not an error", (body) => {
    expect(errorInGoodStatus(JSON.stringify(body))).toBeUndefined();
  });
});

describe("a 403", () => {
  const isAccount = (body: unknown) => isAboutAccount(readUpstreamError(JSON.stringify(body)));

  test.each([
    { error: { message: "Incorrect API key provided" } },
    { error: { message: "Forbidden", code: "invalid_api_key" } },
    { error: { type: "permission_error", message: "no" } },
    { detail: "Not authenticated" },
    { error: { message: "You are not authorized" } },
    { error: { message: "x", code: "insufficient_user_quota" } },
    { message: "Account overdue, no balance" },
  ])("%j is about the agent's key or account", (body) => {
    expect(isAccount(body)).toBe(true);
  });

  test.each([
    { error: { message: "Your input was flagged by moderation. No credits were charged." } },
    { error: { message: "This model does not accept more than 9 tokens of monkeys" } },
    { detail: "Forbidden" },
    "",
  ])("%j is about the request", (body) => {
    expect(isAccount(body)).toBe(false);
  });
});
