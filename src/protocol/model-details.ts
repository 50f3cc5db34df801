import { z } from "zod";
import { PRINTABLE } from "../printable.ts";

const name = z.string().min(1).max(64).regex(PRINTABLE, "must be without control characters");
/** The fields of a model that an agent may report, as its upstream tells them. They do not change. */
export const modelDetails = {
  /** The bytes of the model's file. */
  size: z.int().nonnegative().optional(),
  /** The architecture, such as `llama`. */
  family: name.optional(),
  /** The number of parameters, such as `3.2B`. */
  parameter_size: name.optional(),
  /** The level of quantization, such as `Q4_K_M`. */
  quantization: name.optional(),
  /** The words of Ollama for what a model can do, such as `completion`, `tools`, `vision`, `thinking`, `embedding`. */
  capabilities: z.array(name).max(16).optional(),
};

/** The details of a model that an upstream tells. */
export type ModelDetails = z.output<z.ZodObject<typeof modelDetails>>;

/** Returns the details of a model without its other fields. */
export function detailsOf({
  size,
  family,
  parameter_size,
  quantization,
  capabilities,
}: ModelDetails): ModelDetails {
  return {
    ...(size !== undefined && { size }),
    ...(family !== undefined && { family }),
    ...(parameter_size !== undefined && { parameter_size }),
    ...(quantization !== undefined && { quantization }),
    ...(capabilities !== undefined && { capabilities }),
  };
}
