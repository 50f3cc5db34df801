import { nearest } from "../nearest.ts";
import { anthropicStyle } from "./errors/anthropic.ts";
import { openaiStyle } from "./errors/openai.ts";
import type { ErrorStyle } from "./errors/style.ts";
import { API_PREFIXES, withoutPrefixes } from "./path-aliases.ts";
import type { RouteTable } from "./route-table.ts";

/** A part of OpenAI's or Anthropic's API that no agent can have a share in. */
interface NotOffered {
  /** Matches the path without what stands for `/v1`. */
  path: RegExp;
  /** Says what is not offered, and what to use instead. */
  hint: string;
}

const whole = (names: string): RegExp => new RegExp(`^(${names})(/|$)`, "i");

const NOT_OFFERED: readonly NotOffered[] = [
  {
    path: whole("files|uploads"),
    hint: "The server keeps no files. Put the content into the request, such as an image as a data URL.",
  },
  {
    path: whole("batches|messages/batches"),
    hint: "The server has no batches. Send each request by itself: requests wait in a queue for a free agent.",
  },
  {
    path: whole("fine_tuning|fine-tunes|fine_tunes"),
    hint: "The server trains no models. `GET /v1/models` lists the models that the agents have.",
  },
  {
    path: whole("assistants|threads|chatkit"),
    hint: "The server has no assistants and no threads. Send the conversation to `POST /v1/responses` or `POST /v1/chat/completions`.",
  },
  {
    path: whole("vector_stores"),
    hint: "The server has no vector stores. `POST /v1/embeddings` makes the vectors; keep them in a store of your own.",
  },
  {
    path: whole("realtime"),
    hint: "The server has no realtime sessions. `POST /v1/responses` and `POST /v1/chat/completions` stream their answers.",
  },
  {
    path: whole("videos"),
    hint: "The server makes no videos. `GET /v1/models` lists the models that the agents have.",
  },
  {
    path: whole("evals|graders"),
    hint: "The server has no evaluations. Run them on your side, with `POST /v1/chat/completions` or `POST /v1/responses`.",
  },
  {
    path: whole("containers|skills|agents|sessions|environments|memory_stores|vaults"),
    hint: "The server runs no containers, skills or agents of a vendor. Send requests with tools to `POST /v1/messages`, `POST /v1/responses` or `POST /v1/chat/completions`, and run the tools on your side.",
  },
  {
    path: whole("organization|organizations|projects"),
    hint: "The server has none of the vendor's administration. `GET /docs` describes its own, and `GET /api/usage` tells what was used.",
  },
  {
    path: whole("edits|engines"),
    hint: "This API was retired. Use `POST /v1/chat/completions` or `POST /v1/completions`; `GET /v1/models` lists the models.",
  },
  {
    path: /^images\/variations$/i,
    hint: "This API was retired. Use `POST /v1/images/edits`.",
  },
  {
    path: /^responses\/compact$/i,
    hint: "The server does not compact conversations. Ask a model for a summary with `POST /v1/responses`, and go on from that.",
  },
  {
    path: /^responses\/input_tokens$/i,
    hint: "The server does not count the tokens of a response beforehand. `POST /v1/messages/count_tokens` counts those of a message, and `POST /v1/tokenize` those of a text.",
  },
  {
    path: whole("complete"),
    hint: "Text completions of Anthropic's API were retired. Use `POST /v1/messages`.",
  },
  {
    path: /^chat\/completions\/chatcmpl/i,
    hint: "The server keeps no chat completions. Keep what `POST /v1/chat/completions` answers on your side.",
  },
];

const ANTHROPIC_HEADER = "anthropic-version";

/** No mistyped path is longer. */
const PATH_LENGTH_MAX = 64;

/** By how many letters a path may be longer or shorter than the one that it is a mistake for. */
const LETTERS_MAX = 2;

const notOffered = (path: string): NotOffered | undefined => {
  const rest = withoutPrefixes(path);
  return NOT_OFFERED.find((api) => api.path.test(rest));
};

/** Whether the path can only be meant for the model API: what clients put before its endpoints stands there. */
function isModelApi(path: string): boolean {
  const [first = "", second] = path.split("/").filter(Boolean);
  if (first === "api") return second === "v1";
  return API_PREFIXES.has(first) || notOffered(path) !== undefined;
}

/** Whether a path below `/v1` is that of an API that is not offered, though it may fit a route with a parameter. */
export const isNotOffered = (path: string): boolean =>
  path.startsWith("/v1/") && notOffered(path) !== undefined;

/** Returns the error style for a path that no route serves, if the path or a header of the request says which. */
export function unknownPathStyle({ headers }: Request, path: string): ErrorStyle | undefined {
  if (!isModelApi(path)) return undefined;
  return headers.has(ANTHROPIC_HEADER) || path.startsWith("/anthropic/") ? anthropicStyle : undefined;
}

/**
 * Returns the style for a path that has no segments in common with a route: that of the model API for one of its paths,
 * or of the route that the path is a typing mistake for.
 */
export function strangePathStyle(path: string, routes: RouteTable): ErrorStyle | undefined {
  if (isModelApi(path)) return openaiStyle;
  const meant = nearestPath(path, routes);
  return meant === undefined ? undefined : routes.nearest(meant)?.style;
}

/**
 * Returns what to do about a path that no route serves: use what is offered instead, or the path that it is a typing
 * mistake for. Undefined if nothing is known. It depends on the path alone, so it tells nothing about keys.
 */
export function unknownPathHint(path: string, routes: RouteTable): string | undefined {
  // The end of a base URL that is too long counts more: `/v1/chat/completions/models`.
  if (routes.endsWithRoute(path)) return undefined;
  const hint = notOffered(path)?.hint;
  if (hint !== undefined) return hint;
  const meant = nearestPath(path, routes);
  return meant && `Did you mean \`${routes.methodsOf(meant)[0]} ${meant}\`?`;
}

function nearestPath(path: string, routes: RouteTable): string | undefined {
  if (path.length > PATH_LENGTH_MAX) return undefined;
  const plain = `/${path.split("/").filter(Boolean).join("/")}`;
  const rest = withoutPrefixes(path);
  const near = (wanted: string) => {
    // Anybody may send unknown paths, and to compare two takes microseconds.
    const likely = routes.fullPaths.filter((known) => Math.abs(known.length - wanted.length) <= LETTERS_MAX);
    return nearest(wanted, likely);
  };
  return near(plain) ?? (rest === "" || plain === `/v1/${rest}` ? undefined : near(`/v1/${rest}`));
}
