import { CommandError } from "../errors.ts";
import { field, parseJson, textField } from "../json/parse.ts";
import { ENDPOINTS, type Endpoint } from "../protocol/agent-v2.ts";
import { readText } from "./http.ts";

const BODY_BYTES_MAX = 64 * 1024;
const ABSENT = new Set([404, 405, 501]);

/** Endpoints as an operator names them. Throws a `CommandError` for one that there is not. */
export function readEndpoints(names: readonly string[]): Endpoint[] {
  const known: readonly string[] = ENDPOINTS;
  if (names.every((name): name is Endpoint => known.includes(name))) return [...names];
  throw new CommandError(`--endpoint: give one of ${ENDPOINTS.join(", ")}`, { exitCode: 2 });
}

/**
 * Which endpoints answer, found out by an empty request to each, all at once: a server that has the endpoint
 * finds fault with it, and no work is done. Where none answers, chat completions are taken for granted.
 */
export async function findEndpoints(
  post: (endpoint: Endpoint, body: string) => Promise<Response>,
): Promise<readonly Endpoint[]> {
  const present = await Promise.all(ENDPOINTS.map((endpoint) => answers(() => post(endpoint, "{}"))));
  const found = ENDPOINTS.filter((_, index) => present[index]);
  return found.length > 0 ? found : ["chat/completions"];
}

async function answers(post: () => Promise<Response>): Promise<boolean> {
  try {
    const response = await post();
    const body = parseJson((await readText(response, BODY_BYTES_MAX)) ?? "");
    if (response.status === 404) return isAboutModel(field(body, "error"));
    // LM Studio answers 200 with an error where it knows no such path.
    if (response.ok) return field(body, "error") === undefined;
    return !ABSENT.has(response.status);
  } catch {
    return false;
  }
}

/** "No such model" is said by an endpoint that exists. */
function isAboutModel(error: unknown): boolean {
  const words = [textField(error, "message"), textField(error, "code"), textField(error, "param")];
  return words.some((text) => /\bmodel(\b|_)/i.test(text ?? ""));
}
