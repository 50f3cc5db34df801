import { z } from "zod";
import { CommandError, usageError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { isLoopbackHost } from "../../net/addresses.ts";
import { proxyFor, proxyOption } from "../../net/environment-proxy.ts";
import { proxyFailure } from "../../net/proxy-failure.ts";
import { connectErrorTexts } from "../../system-error.ts";
import { PROGRAM } from "../version.ts";
import type { Model } from "./clients.ts";

const LIMIT_MS = 10_000;
const BODY_BYTES_MAX = 4 * 1024 ** 2;

/** How to get a token, for error messages. */
export const GET_TOKEN = `The server's administrator makes tokens on the dashboard, or with: ${PROGRAM} users add`;

/** Returns the base URL of a server without `/v1`. Throws a `CommandError` with exit code 2. */
export function readServer(text: string): string {
  const host = /^[^:/]*/.exec(text)?.[0] ?? "";
  const scheme = isLoopbackHost(host) ? "http" : "https";
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `${scheme}://${text}`);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw usageError("--server is not valid. Give the server's address, such as https://chat.example.com.");
  return `${url.origin}${url.pathname.replace(/(\/v1(\/models)?|\/dashboard)?\/*$/, "")}`;
}

const Length = z.number().int().positive().optional().catch(undefined);
const Capabilities = z.array(z.string()).optional().catch(undefined);
const ListedModel = z.object({
  id: z.string().min(1).max(500),
  context_length: Length,
  capabilities: Capabilities,
});
const ModelList = z.object({ data: z.array(ListedModel).max(10_000) });

/** Returns the models that the token may use. Throws a `CommandError` that says what to do. */
export async function fetchModels(server: string, token: string): Promise<Model[]> {
  const response = await call(`${server}/v1/models`, token);
  const { status } = response;
  if (status === 401 || status === 403)
    throw new CommandError(`${server} does not accept this token (${status}). Check it. ${GET_TOKEN}`);
  if (status >= 300 && status < 400)
    throw new CommandError(
      `${server} redirects elsewhere. Give the address that it redirects to as --server.`,
    );
  if (status === 429 || status >= 500)
    throw new CommandError(`${server} responded with status ${status}. Try again later.`);
  const { data } = ModelList.safeParse(status === 200 ? await readJson(response) : undefined);
  if (!data)
    throw new CommandError(
      `${server} lists no models at /v1/models (status ${status}). Check the address in --server.`,
    );
  if (data.data.length === 0)
    throw new CommandError(
      `${server} offers no models to this token. Connect an agent first, or ask for models of the token.`,
    );
  return data.data.map(({ context_length, ...rest }) => ({ ...rest, contextLength: context_length }));
}

/** Throws a `CommandError` if the token is the admin key, which a client must not have. */
export async function checkIsNoAdmin(server: string, token: string): Promise<void> {
  const session = await call(`${server}/api/session`, token)
    .then(readJson)
    .catch(() => undefined);
  if ((session as { role?: unknown } | null | undefined)?.role === "admin")
    throw new CommandError(`This is the server's admin key. Use a user's token. ${GET_TOKEN}`);
}

async function call(url: string, token: string): Promise<Response> {
  const proxy = proxyFor(url, process.env);
  try {
    const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
    const signal = AbortSignal.timeout(LIMIT_MS);
    return await fetch(url, { headers, redirect: "manual", signal, ...proxyOption(proxy) });
  } catch (error) {
    const words = proxy ? `: ${proxyFailure(error, proxy).words}` : ` ${connectErrorTexts(error).words}`;
    throw new CommandError(`${new URL(url).origin}${words}. Check --server, and that the server runs.`, {
      cause: error,
    });
  }
}

/** Returns undefined for a body that is too large, or not JSON. */
async function readJson(response: Response): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of response.body ?? []) {
      bytes += part.length;
      if (bytes > BODY_BYTES_MAX) return undefined;
      parts.push(part);
    }
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    return undefined;
  }
}

/** Matches the usual names of models that cannot chat. */
const NO_CHAT = /embed|rerank|whisper|(^|[-_/])(tts|bge|e5|gte|clip)([-_:.]|$)|dall-e|moderation/i;

/**
 * Returns the models, the one to start with first: the wanted one, or else the one that is configured already,
 * or else the first whose name looks like a chat model. Throws a `CommandError` if the wanted one is not offered.
 */
export function startWith(offered: readonly Model[], wanted: string | undefined, configured: unknown) {
  const find = (id: unknown) => offered.find((model) => model.id === id);
  const first = wanted === undefined ? (find(configured) ?? firstChat(offered)) : find(wanted);
  if (!first) throw unknownModel(wanted ?? "", offered);
  const others = offered.filter((model) => model !== first && !NO_CHAT.test(model.id));
  return { model: first, models: [first, ...others] };
}

function firstChat(offered: readonly Model[]): Model | undefined {
  return offered.find(({ id }) => !NO_CHAT.test(id)) ?? offered[0];
}

const SHOWN_MAX = 20;

function unknownModel(wanted: string, offered: readonly Model[]): CommandError {
  const ids = offered.map(({ id }) => id);
  const meant = nearest(wanted, ids);
  const more = ids.length > SHOWN_MAX ? `, and ${ids.length - SHOWN_MAX} more` : "";
  return new CommandError(
    `The server does not offer the model ${wanted} to this token. ${meant ? `Did you mean ${meant}? ` : ""}Available models: ${ids.slice(0, SHOWN_MAX).join(", ")}${more}.`,
  );
}
