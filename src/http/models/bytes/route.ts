import { z } from "zod";
import { ASK_ERRORS } from "../../errors/ask-errors.ts";
import { openaiStyle } from "../../errors/openai.ts";
import { type RouteDeclaration, resource } from "../../route.ts";
import { SAMPLE } from "../../values.ts";
import type { ModelApi } from "../read-request.ts";
import { ANYTHING, bodyWith } from "../route.ts";
import { AnswerShape, ModelAskBody, NamedModel, plainModelAsk } from "../schema.ts";
import { answerInBytes, type ByteDeps, type ByteRequest } from "./answer.ts";

const UNCHANGED =
  "An agent whose upstream has this route is sent the body unchanged, and its answer is passed on unchanged, as it comes. Agents that long-poll do not answer it.";
const FORM =
  "The body is a form (`multipart/form-data`) of at most `--upload-max`. The server reads only the field `model` of it, which may stand after the file.";
const BYTES = "Bytes as the upstream sends them, with its content type.";
const DOWNLOAD = "application/octet-stream";
const FILE = z.string().meta({ format: "binary" });

interface ByteRoute {
  summary: string;
  description?: string;
  body: z.ZodType;
  /** The fields of the example body besides the model. */
  fields: Record<string, unknown>;
  /** The body is a form. */
  isForm?: true;
  answer: z.ZodType;
  example: unknown;
  /** The other media types of the answer, with an example of each. */
  media: Record<string, string>;
}

/** Returns the declaration of a route whose answers, and perhaps requests, are bytes. */
function byteRoute({ endpoint, style }: ModelApi, declared: ByteRoute) {
  const { summary, description, body, fields, isForm, answer, example, media } = declared;
  const other = Object.fromEntries(
    Object.entries({ ...media, [DOWNLOAD]: "(the bytes)" }).map(([type, shown]) => [
      type,
      { description: BYTES, example: shown },
    ]),
  );
  const passedOn = { isPassedOn: true, json: answer, example } as const;
  return {
    method: "POST",
    path: `/v1/${endpoint}`,
    access: "caller",
    limits: "admit",
    outputLimits: null,
    passesErrorsOn: true,
    style,
    summary,
    description: [UNCHANGED, isForm && FORM, description].filter(Boolean).join(" "),
    body: {
      schema: ModelAskBody,
      plain: plainModelAsk,
      documented: body,
      example: { model: SAMPLE.model, ...fields },
      error: "request_invalid",
      ...(isForm && { isForm }),
    },
    answers: {
      200: {
        description: "The upstream's answer.",
        headers: ["x-accel-buffering"],
        ...passedOn,
        other,
      },
      "2XX": { description: "Another good answer of the upstream.", ...passedOn },
    },
    errors: ["body_invalid", "endpoint_unsupported", ...ASK_ERRORS],
  } as const satisfies RouteDeclaration;
}

const form = (fields: z.ZodRawShape) => z.looseObject({ ...NamedModel.shape, ...fields });

const TRANSCRIPTIONS: ModelApi = { endpoint: "audio/transcriptions", style: openaiStyle };
const TRANSLATIONS: ModelApi = { endpoint: "audio/translations", style: openaiStyle };
const SPEECH: ModelApi = { endpoint: "audio/speech", style: openaiStyle };
const IMAGES: ModelApi = { endpoint: "images/generations", style: openaiStyle };
const EDITS: ModelApi = { endpoint: "images/edits", style: openaiStyle };

const AUDIO = form({
  file: FILE.describe("The audio file."),
  response_format: z.string().optional().describe("`json`, `text`, `srt`, `verbose_json` or `vtt`."),
  stream: z.string().optional().describe("`true` to get the text as it is recognized."),
});
const IMAGE_MEDIA = { "text/event-stream": 'data: {"type":"image_generation.partial_image"}\n\n' };
const PICTURE = { created: 1763885414, data: [{ b64_json: "iVBORw0KGgo=" }] };

const ROUTES = {
  createTranscription: byteRoute(TRANSCRIPTIONS, {
    summary: "Transcribe audio, OpenAI-style",
    isForm: true,
    body: AUDIO,
    fields: { file: "(the file)" },
    answer: AnswerShape.transcription,
    example: { text: "Hello!" },
    media: {
      "text/plain": "Hello!",
      "text/event-stream": 'data: {"type":"transcript.text.delta","delta":"Hello"}\n\n',
    },
  }),
  createTranslation: byteRoute(TRANSLATIONS, {
    summary: "Translate audio to English, OpenAI-style",
    isForm: true,
    body: AUDIO,
    fields: { file: "(the file)" },
    answer: AnswerShape.transcription,
    example: { text: "Hello!" },
    media: { "text/plain": "Hello!" },
  }),
  createSpeech: byteRoute(SPEECH, {
    summary: "Turn a text into speech, OpenAI-style",
    body: bodyWith({
      input: z.string().optional().describe("The text."),
      voice: ANYTHING.describe("The name of a voice of the upstream."),
      response_format: z.string().optional().describe("Such as `mp3`, `opus`, `wav` or `pcm`."),
    }),
    fields: { input: "Hello!", voice: "alloy" },
    answer: z.looseObject({}),
    example: {},
    media: { "audio/mpeg": "(the audio)" },
  }),
  createImage: byteRoute(IMAGES, {
    summary: "Make images from a text, OpenAI-style",
    body: bodyWith({ prompt: z.string().optional().describe("What the images show.") }),
    fields: { prompt: "A hub" },
    answer: AnswerShape.images,
    example: PICTURE,
    media: IMAGE_MEDIA,
  }),
  editImage: byteRoute(EDITS, {
    summary: "Change images by a text, OpenAI-style",
    isForm: true,
    body: form({
      image: FILE.describe("The image; several are `image[]`."),
      prompt: z.string().optional().describe("What to change."),
    }),
    fields: { image: "(the image)", prompt: "Add a hub" },
    answer: AnswerShape.images,
    example: PICTURE,
    media: IMAGE_MEDIA,
  }),
};

/** The routes of audio and images. */
export const byteRoutes = resource("Models", ROUTES).handledBy((deps: ByteDeps) => {
  const answering = (api: ModelApi) => (request: ByteRequest) => answerInBytes(deps, api, request);
  return {
    createTranscription: answering(TRANSCRIPTIONS),
    createTranslation: answering(TRANSLATIONS),
    createSpeech: answering(SPEECH),
    createImage: answering(IMAGES),
    editImage: answering(EDITS),
  };
});
