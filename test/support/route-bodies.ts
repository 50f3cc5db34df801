import type { Route } from "./route-access.ts";

const ask = (body: object): Route => ({ for: "caller", body: () => body });
const form = (body: object): Route => ({ ...ask(body), isForm: true });

/** The routes of audio, images and rankings, with bodies for the model `m`. */
export const BYTE_ROUTES: Record<string, Route> = {
  "POST /v1/rerank": ask({ model: "m", query: "q", documents: [] }),
  "POST /v1/moderations": ask({ model: "m", input: "hi" }),
  "POST /v1/tokenize": ask({ model: "m", prompt: "hi" }),
  "POST /v1/detokenize": ask({ model: "m", tokens: [1] }),
  "POST /v1/audio/speech": ask({ model: "m", input: "hi" }),
  "POST /v1/images/generations": ask({ model: "m", prompt: "hi" }),
  "POST /v1/audio/transcriptions": form({ model: "m", file: "x" }),
  "POST /v1/audio/translations": form({ model: "m", file: "x" }),
  "POST /v1/images/edits": form({ model: "m", image: "x" }),
};

/** Returns the body of a request to the route. */
export function bodyOf({ body, isForm }: Route): string | FormData {
  const fields = body?.() ?? {};
  if (!isForm) return JSON.stringify(fields);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  return form;
}
