import type { Tokens } from "./chat-chunk.ts";
import type { StreamedText } from "./streamed-text.ts";

/** An image in a question. */
export interface Image {
  /** A data URL. */
  url: string;
  name: string;
}

export interface Question {
  text: string;
  images: readonly Image[];
}

/** A part of a message with images. */
export type MessagePart = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

export interface Message {
  role: "system" | "user" | "assistant";
  content: string | readonly MessagePart[];
}

/** The body of a request, without what makes it a stream. */
export interface ChatRequest extends Parameters {
  model: string;
  messages: Message[];
}

/** The parameters of a request that are set. */
export interface Parameters {
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  stop?: string[];
  response_format?: { type: "json_object" };
}

/** The choices for the next request, as they are in the fields. */
export interface ChatSettings {
  /** One model, or two to compare. An empty name stands for the first model of the list. */
  models: readonly string[];
  system: string;
  temperature: string;
  topP: string;
  maxTokens: string;
  /** A sequence a line. */
  stop: string;
  isJson: boolean;
}

export const EMPTY_SETTINGS: ChatSettings = {
  models: [""],
  system: "",
  temperature: "",
  topP: "",
  maxTokens: "",
  stop: "",
  isJson: false,
};

export type AnswerState = "waiting" | "answering" | "done" | "stopped" | "failed";

/** The answer of one model, and how it was made. */
export interface Answer {
  model: string;
  text: StreamedText;
  reasoning: StreamedText;
  state: AnswerState;
  /** When the request was sent, in milliseconds since 1970. */
  at: number;
  /** Whether the answer has started, which ends the reasoning. */
  hasText?: boolean;
  /** Why the request failed, as a text for people. */
  error?: string;
  /** The time until the first part of the answer, or of the reasoning before it. */
  firstMs?: number;
  durationMs?: number;
  tokens?: Tokens;
  /** The model's reason for ending the answer. */
  finish?: string;
  /** The id under which the server knows the request. */
  requestId?: string;
  /** The agent that answered: its name if the server tells it, or else its id. */
  agent?: string;
  /** The model that the agent was asked for, if it is another one. */
  usedModel?: string;
}

/** One question with its answers, one for each model. */
export interface Turn {
  id: number;
  question: Question;
  answers: readonly Answer[];
}

export function isRunning({ state }: Answer): boolean {
  return state === "waiting" || state === "answering";
}
