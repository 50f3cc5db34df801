import type { ChatRequest, ChatSettings, Message, Parameters, Question, Turn } from "./types.ts";

/** The fields of the settings that have a number, and what it may be. */
export const NUMBERS = {
  temperature: { min: 0, max: 2, isWhole: false },
  topP: { min: 0, max: 1, isWhole: false },
  maxTokens: { min: 1, max: 1_000_000, isWhole: true },
} as const;
export type NumberField = keyof typeof NUMBERS;

/** Returns the number in a field; undefined if the field is empty or its number is not allowed. */
export function readNumber(field: NumberField, { [field]: typed }: ChatSettings): number | undefined {
  const { min, max, isWhole } = NUMBERS[field];
  const value = typed.trim() === "" ? Number.NaN : Number(typed);
  const isAllowed = value >= min && value <= max && (!isWhole || Number.isInteger(value));
  return isAllowed ? value : undefined;
}

/** OpenAI's API takes no more. */
const STOPS_MAX = 4;

/** Returns the parameters that are set. A field with a number that is not allowed counts as empty. */
function parametersOf(settings: ChatSettings): Parameters {
  const temperature = readNumber("temperature", settings);
  const top_p = readNumber("topP", settings);
  const max_tokens = readNumber("maxTokens", settings);
  const stop = settings.stop.split("\n").filter(Boolean).slice(0, STOPS_MAX);
  return {
    ...(temperature !== undefined && { temperature }),
    ...(top_p !== undefined && { top_p }),
    ...(max_tokens !== undefined && { max_tokens }),
    ...(stop.length > 0 && { stop }),
    ...(settings.isJson && { response_format: { type: "json_object" } as const }),
  };
}

/**
 * Returns the request for a question to the model at `index` of the settings. Earlier questions that this model has not
 * answered are left out. Where there was one model only, its answers stand for those of all.
 */
export function requestFor(
  turns: readonly Turn[],
  question: Question,
  settings: ChatSettings,
  index: number,
): ChatRequest {
  const { system, models } = settings;
  const first: Message[] = system === "" ? [] : [{ role: "system", content: system }];
  const before = turns.flatMap((turn) => messagesOf(turn, index));
  return {
    model: models[index] ?? "",
    messages: [...first, ...before, messageOf(question)],
    ...parametersOf(settings),
  };
}

function messagesOf({ question, answers }: Turn, index: number): Message[] {
  const content = (answers[index] ?? answers[0])?.text.text ?? "";
  return content === "" ? [] : [messageOf(question), { role: "assistant", content }];
}

function messageOf({ text, images }: Question): Message {
  if (images.length === 0) return { role: "user", content: text };
  return {
    role: "user",
    content: [
      ...(text === "" ? [] : [{ type: "text" as const, text }]),
      ...images.map(({ url }) => ({ type: "image_url" as const, image_url: { url } })),
    ],
  };
}
