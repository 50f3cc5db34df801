import { field, parseJson, textField } from "../json/parse.ts";
import {
  COUNT_ENDPOINT,
  ENDPOINTS,
  type Endpoint,
  isOllamaEndpoint,
  ROOT_ENDPOINTS,
  takesUpload,
} from "../protocol/endpoints.ts";
import type { Probe } from "./models/found-endpoints.ts";
import { ResponseBody } from "./response-body.ts";

interface EndpointSearch {
  probe: Probe;
  /** Gets the endpoints that are at the root and not below the base URL. */
  atRoot: Set<Endpoint>;
  /** Finds the endpoint that counts tokens, in the way of the upstream. */
  findCounting(exists: (endpoint: Endpoint) => Promise<boolean>): Promise<readonly Endpoint[]>;
}

const PROBE_BYTES_MAX = 64 * 1024;
/** The statuses that say that an endpoint does not exist. */
const ABSENT = new Set([404, 405, 501]);

/**
 * Returns the endpoints that exist. Sends an empty JSON object to each, all at once: a server that has the endpoint
 * answers that the request is invalid, also one that wants a form, and does no work.
 */
export async function findEndpoints(search: EndpointSearch): Promise<readonly Endpoint[]> {
  const { probe, atRoot, findCounting } = search;
  atRoot.clear();
  const counting = findCounting((endpoint) => exists(probe(endpoint), false));
  const common = ENDPOINTS.filter((endpoint) => endpoint !== COUNT_ENDPOINT && !isOllamaEndpoint(endpoint));
  const present = await Promise.all(common.map((endpoint) => isPresent(endpoint, search)));
  const found = common.filter((_, index) => present[index]);
  return [...found, ...(await counting)];
}

async function isPresent(endpoint: Endpoint, { probe, atRoot }: EndpointSearch): Promise<boolean> {
  if (await exists(probe(endpoint), takesUpload(endpoint))) return true;
  if (!ROOT_ENDPOINTS.has(endpoint) || !(await exists(probe(endpoint, true), false))) return false;
  atRoot.add(endpoint);
  return true;
}

async function exists(probed: Promise<Response>, isUpload: boolean): Promise<boolean> {
  try {
    const response = await probed;
    const body = parseJson((await new ResponseBody(response).text(PROBE_BYTES_MAX)) ?? "");
    // Gateways with a web page answer 200 and the page for every path.
    if (typeof body !== "object" || body === null) return false;
    const error = field(body, "error");
    if (response.status === 404) return isAbout(/\bmodel(\b|_)/i, error);
    // LM Studio answers 200 with an error for an unknown path, and whisper.cpp one for a request without a file.
    if (response.ok) return error === undefined || (isUpload && isAbout(/\bfile\b/i, error));
    return !ABSENT.has(response.status);
  } catch {
    return false;
  }
}

/** Whether an error is about something, as only an endpoint that exists can say. */
function isAbout(what: RegExp, error: unknown): boolean {
  const words = [error, textField(error, "message"), textField(error, "code"), textField(error, "param")];
  return words.some((text) => typeof text === "string" && what.test(text));
}
