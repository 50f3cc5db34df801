import { z } from "zod";
import { AppError } from "../../../errors.ts";
import { parseJson } from "../../../json/parse.ts";
import { usageIn } from "../../../protocol/token-usage.ts";
import { readShape } from "../refuse.ts";
import type { Translation, TranslationContext } from "../translation.ts";
import { nanoseconds } from "./answer.ts";
import { EmbedBody } from "./schema.ts";

const Vector = z.union([z.array(z.number()), z.string().transform(readBase64)]);
const Vectors = z.object({ data: z.array(z.object({ index: z.number().nullish(), embedding: Vector })) });

/** Translates a request to Ollama's `/api/embed` for an upstream that has only OpenAI's embeddings. */
export function translateEmbed(body: unknown, { now }: TranslationContext): Translation {
  const { model: asked, input, dimensions } = readShape(EmbedBody, body, "");
  const beganAt = now();
  return {
    endpoint: "embeddings",
    request: {
      ...{ model: asked, input: input ?? [], encoding_format: "float" },
      ...(dimensions != null && { dimensions }),
    },
    added: [],
    answer(text, model = asked) {
      const value = parseJson(text);
      const found = Vectors.safeParse(value).data;
      if (!found)
        throw new AppError("agent_answer_invalid", { hint: "The agent's upstream sent no embeddings." });
      const sorted = found.data.toSorted((one, other) => (one.index ?? 0) - (other.index ?? 0));
      const usage = usageIn(value);
      return JSON.stringify({
        model,
        embeddings: sorted.map(({ embedding }) => embedding),
        total_duration: nanoseconds(now() - beganAt),
        load_duration: 0,
        ...(usage && { prompt_eval_count: usage.prompt_tokens }),
      });
    },
    stream() {
      throw new Error("embeddings are not streamed");
    },
  };
}

const BYTES_PER_NUMBER = 4;

/** Some upstreams send the numbers as base64, whatever they were asked for. */
function readBase64(text: string): number[] {
  const bytes = Buffer.from(text, "base64");
  const count = Math.floor(bytes.byteLength / BYTES_PER_NUMBER);
  return Array.from({ length: count }, (_, index) => bytes.readFloatLE(index * BYTES_PER_NUMBER));
}
