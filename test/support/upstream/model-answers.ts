import type { ChatCompletionRequest, FixtureResponse } from "@copilotkit/aimock";

/** `small-slow` gives the same answers, four letters every 50 ms. */
export const MODELS = ["small", "small-slow"] as const;
export const EMBEDDING_MODEL = "small-embedding";

export const modelText = (question: string): string => `You asked: ${question}`;

/** Returns the answer to a request for JSON. */
export const modelJson = (question: string): string =>
  JSON.stringify({ question, words: countWords(question) });

/**
 * Counts words, which are the tokens of this upstream. The input tokens are those of all messages together.
 */
export const countWords = (text: string): number => text.match(/\S+/g)?.length ?? 0;

function textOf(content: ChatCompletionRequest["messages"][number]["content"]): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.text ?? "").join("");
}

/** Returns the token counts under the names of every endpoint, from which the package selects. */
function usageOf(request: ChatCompletionRequest, answer: string) {
  const prompt = request.messages.map((message) => countWords(textOf(message.content)));
  const input = prompt.reduce((sum, words) => sum + words, 0);
  const output = countWords(answer);
  return { prompt_tokens: input, completion_tokens: output, input_tokens: input, output_tokens: output };
}

function errorOf(status: number): FixtureResponse {
  const type = status === 429 ? "rate_limit_error" : status < 500 ? "invalid_request_error" : "server_error";
  return {
    status,
    retryAfter: 2,
    error: { message: `It failed with ${status}`, type, code: `code_${status}` },
  };
}

/** Answers a request that has no other answer, such as an empty one. */
export function refuseModel({ model }: ChatCompletionRequest): FixtureResponse {
  const type = "invalid_request_error";
  return model
    ? { status: 404, error: { message: `The model ${model} does not exist`, type, code: "model_not_found" } }
    : { status: 400, error: { message: "A model is missing", type } };
}

/**
 * Returns two parallel calls: of the first tool for one city, of the second (or the same) tool for the other.
 */
function callsOf(cities: readonly string[], tools: NonNullable<ChatCompletionRequest["tools"]>) {
  return cities.map((city, index) => ({
    id: `call_${index + 1}`,
    name: (tools[index] ?? tools[0])?.function.name ?? "",
    arguments: JSON.stringify({ city }),
  }));
}

/**
 * Returns the answer to the last user message:
 * - `fail with <status>`: that status, with an error body; `Retry-After: 2` on 429
 * - `… in <city> and <city>`, tools offered: two parallel calls, `call_1` and `call_2`
 * - with the results of tools after it: `The tools said: <result>, <result>`
 * - with a `response_format`, or a question that begins with `As JSON`: `modelJson`
 * - anything else: `modelText`
 *
 * Equal requests have equal answers, including ids and times, except for the ids of items in `responses`.
 */
export function answerAsModel(request: ChatCompletionRequest): FixtureResponse {
  const { messages, tools } = request;
  const asked = messages.findLastIndex((message) => message.role === "user");
  const question = textOf(messages[asked]?.content ?? "");
  const results = messages.slice(asked + 1).filter((message) => message.role === "tool");
  const fixed = { id: "small-1", created: 1_700_000_000 };

  const status = question.match(/^fail with (\d{3})$/)?.[1];
  if (status) return errorOf(Number(status));

  const cities = question.match(/\bin (\w+) and (\w+)/)?.slice(1);
  if (cities && tools?.length && results.length === 0) {
    return { ...fixed, toolCalls: callsOf(cities, tools), usage: usageOf(request, cities.join(" ")) };
  }
  const asJson = (request.response_format?.type ?? "text") !== "text" || question.startsWith("As JSON");
  const content =
    results.length > 0
      ? `The tools said: ${results.map((result) => textOf(result.content)).join(", ")}`
      : asJson
        ? modelJson(question)
        : modelText(question);
  return { ...fixed, content, usage: usageOf(request, content) };
}
