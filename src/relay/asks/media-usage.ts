import type { AppError } from "../../errors.ts";
import { field, parseJson } from "../../json/parse.ts";
import { AnswerScanner, type ToldUsage } from "../../protocol/bytes/answer-scanner.ts";
import { MEDIA_MAX, type MediaUsage } from "../../protocol/bytes/media-usage.ts";
import { utf8Length } from "../../protocol/bytes/utf8-length.ts";
import { hasByteAnswer } from "../../protocol/endpoints.ts";
import type { AskWork } from "../ask-tokens.ts";
import type { Answer, ModelRequest } from "../types.ts";

const NOTHING_REFUSED: ReadonlySet<never> = new Set();

/** Returns the work of an ask that has ended; undefined for those that are only counted in tokens. */
export function mediaUsageOf(work: AskWork, outcome: Answer | AppError): MediaUsage | undefined {
  const { request } = work;
  if (!request || !("endpoint" in request)) return undefined;
  if (request.endpoint === "rerank") return searchUsageIn(bodyOf(outcome));
  if (!hasByteAnswer(request.endpoint)) return undefined;
  const { inBytes } = work.meter;
  const body = bodyOf(outcome);
  const told = inBytes ? inBytes.told : body === undefined ? undefined : AnswerScanner.read(parseJson(body));
  return {
    ...(told && toldBy(request, told)),
    inputBytes: bounded("inputBytes", inputBytesOf(request, work.model)),
    outputBytes: bounded("outputBytes", inBytes?.bytes ?? utf8Length(body ?? "")),
  };
}

function toldBy({ endpoint }: ModelRequest, { audioSeconds, images }: ToldUsage): MediaUsage {
  if (endpoint.startsWith("images/")) return { images: bounded("images", images || undefined) };
  const audioMs = audioSeconds === undefined ? undefined : Math.round(audioSeconds * 1000);
  return { audioMs: bounded("audioMs", audioMs) };
}

/** Cohere tells them: https://docs.cohere.com/reference/rerank */
function searchUsageIn(body: string | undefined): MediaUsage | undefined {
  if (!body?.includes('"search_units"')) return undefined;
  const units = field(field(field(parseJson(body), "meta"), "billed_units"), "search_units");
  const searchUnits = bounded("searchUnits", typeof units === "number" ? units : undefined);
  return searchUnits === undefined ? undefined : { searchUnits };
}

const inputBytesOf = (request: ModelRequest, model: string): number =>
  request.upload?.bytes ?? utf8Length(request.body(model, NOTHING_REFUSED));

/** Returns the body of a good answer that is not in bytes. */
function bodyOf(outcome: Answer | AppError): string | undefined {
  return "kind" in outcome && outcome.kind === "model" && outcome.status < 300 ? outcome.body : undefined;
}

function bounded(name: keyof MediaUsage, value: number | undefined): number | undefined {
  return Number.isSafeInteger(value) && value !== undefined && value >= 0 && value <= MEDIA_MAX[name]
    ? value
    : undefined;
}
