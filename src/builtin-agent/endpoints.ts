import { CommandError } from "../errors.ts";
import { field, parseJson, textField } from "../json/parse.ts";
import { ENDPOINTS, type Endpoint } from "../protocol/agent-v2.ts";
import { readText } from "./http.ts";

const BODY_BYTES_MAX = 64 * 1024;
const ABSENT = new Set([404, 405, 501]);

/** Reads the names of endpoints. Throws a `CommandError` for an unknown one. */
export function readEndpoints(names: readonly string[]): Endpoint[] {
  const known: readonly string[] = ENDPOINTS;
  if (names.every((name): name is Endpoint => known.includes(name))) return [...names];
  throw new CommandError(`--endpoint is not valid. Give one of: ${ENDPOINTS.join(", ")}.`, {
    exitCode: 2,
  });
}

/**
 * Returns the endpoints that exist. Sends an empty request to each, all at once: a server that has the
 * endpoint answers that the request is invalid, and does no work. If none seems to exist, chat completions
 * are assumed.
 */
export async function findEndpoints(
  post: (endpoint: Endpoint, body: string) => Promise<Response>,
): Promise<readonly Endpoint[]> {
  const present = await Promise.all(ENDPOINTS.map((endpoint) => exists(() => post(endpoint, "{}"))));
  const found = ENDPOINTS.filter((_, index) => present[index]);
  return found.length > 0 ? found : ["chat/completions"];
}

async function exists(post: () => Promise<Response>): Promise<boolean> {
  try {
    const response = await post();
    const body = parseJson((await readText(response, BODY_BYTES_MAX)) ?? "");
    if (response.status === 404) return isAboutModel(field(body, "error"));
    // LM Studio answers 200 with an error for an unknown path.
    if (response.ok) return field(body, "error") === undefined;
    return !ABSENT.has(response.status);
  } catch {
    return false;
  }
}

/** Whether a 404 is about the model, which only an endpoint that exists can say. */
function isAboutModel(error: unknown): boolean {
  const words = [textField(error, "message"), textField(error, "code"), textField(error, "param")];
  return words.some((text) => /\bmodel(\b|_)/i.test(text ?? ""));
}
