import { messagesSurface } from "./anthropic.ts";
import { openaiSurface, responsesSurface } from "./openai.ts";
import { referenceSurface } from "./reference.ts";
import type { Surface } from "./surface.ts";

/** In whose words a path's errors are told. */
export function surfaceOf(path: string): Surface {
  if (!path.startsWith("/v1/")) return referenceSurface;
  if (path.startsWith("/v1/messages")) return messagesSurface;
  return path.startsWith("/v1/responses") ? responsesSurface : openaiSurface;
}
