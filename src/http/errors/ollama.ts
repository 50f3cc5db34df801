import type { AppError } from "../../errors.ts";
import { textField } from "../../json/parse.ts";
import { oneLine } from "../../json/upstream-error.ts";
import { publicMessage } from "./openai.ts";
import type { ErrorStyle } from "./style.ts";

interface OllamaError {
  error: string;
}

/**
 * Returns `{"error": text}`, which is all that Ollama's clients read beside the status. Some find out from Ollama's words
 * that a model is missing: `model 'llama3.2' not found`.
 */
function ollamaError(error: AppError): OllamaError {
  return {
    error: publicMessage(error).replace(/^The model `([^`]+)` does not exist/, "model '$1' not found"),
  };
}

/** The style of Ollama's own API: https://docs.ollama.com/api/errors. */
export const ollamaStyle: ErrorStyle = {
  body: ollamaError,
  streamEvent: (error) => ({ event: "", data: JSON.stringify(ollamaError(error)) }),
  hasStyle: (body) => oneLine(textField(body, "error") ?? "") !== undefined,
};
