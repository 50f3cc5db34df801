import { AppError } from "../../errors.ts";
import { freeBytes } from "../../protocol/bytes/free-bytes.ts";
import type { Spool } from "../../spool.ts";
import type { Exchange } from "../exchange.ts";
import { inTime, tooLarge } from "../middleware/body.ts";
import { piecesOf } from "../middleware/body-pieces.ts";
import type { BodyPlace } from "../middleware/body-room.ts";
import { FormFields } from "./form-fields.ts";
import { boundaryOf, FormFault } from "./part-head.ts";
import { StoredForm } from "./stored-form.ts";

export interface UploadLimits {
  /** The folder of the files that large forms are kept in. */
  uploadFolder: string;
  uploadBytesMax: number;
  bodyWithinMs: number;
}

/** A form as it was received. */
export interface ReceivedForm {
  /** The name of the model in it, if it has one. */
  model: string | undefined;
  form: StoredForm;
}

const MODEL: ReadonlySet<string> = new Set(["model"]);

/**
 * Receives a form into `spool`, with the limits of any other body, but without holding it in memory. Throws
 * `request_invalid` if it is none, or names two models.
 */
export async function receiveForm(
  exchange: Exchange,
  { uploadBytesMax, bodyWithinMs }: UploadLimits,
  { spool, place }: { spool: Spool; place: BodyPlace },
): Promise<ReceivedForm> {
  const { headers, body } = exchange.request;
  const contentType = headers.get("content-type") ?? "";
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) throw invalid("The body must be multipart/form-data, with its boundary.");
  if ((headers.get("content-encoding") ?? "identity") !== "identity")
    throw new AppError("encoding_unsupported", { hint: "Send a form uncompressed." });
  const length = headers.get("content-length");
  if (Number(length ?? 0) > uploadBytesMax) throw tooLarge(uploadBytesMax);
  if (length !== null) place.grow(Number(length));
  const arrival = { bytes: 0, isOver: false };
  const fields = new FormFields(boundary, MODEL);
  const receive = async () => {
    for await (const piece of piecesOf(body ?? new Blob().stream())) {
      arrival.bytes += piece.byteLength;
      if (arrival.bytes > uploadBytesMax) throw tooLarge(uploadBytesMax);
      if (arrival.isOver) return;
      if (length === null) place.grow(piece.byteLength);
      fields.push(piece);
      await spool.write(piece).catch(cannotStore);
      freeBytes(piece);
    }
    fields.end();
  };
  try {
    await inTime(exchange, receive(), bodyWithinMs, arrival, undefined);
  } catch (error) {
    throw error instanceof FormFault ? invalid(`The form is not valid; ${error.message}.`) : error;
  } finally {
    arrival.isOver = true;
  }
  const [model, ...others] = fields.found;
  if (others.length > 0) throw invalid("The form has the field `model` more than once.", "model");
  return { model: model?.value, form: new StoredForm({ contentType, boundary, spool, model }) };
}

/** The disk is full, most likely. Another server, or a later try, may do better. */
function cannotStore(cause: unknown): never {
  throw new AppError("bodies_full", {
    message: "The server cannot store the form",
    hint: "Its disk is most likely full. Its log says why.",
    cause,
  });
}

const invalid = (hint: string, param?: string): AppError =>
  new AppError("request_invalid", { hint, ...(param !== undefined && { param }) });
