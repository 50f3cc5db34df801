import { onTestFinished } from "bun:test";
import { createHash, randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { z } from "zod";
import { makeCertificate } from "../certificate.ts";
import { createAuthority } from "./authority.ts";
import { checkBinding, Refusal, readSigned, type SignedRequest } from "./signed-requests.ts";

/** How the authority behaves. Tests change it while it runs. */
export interface Behavior {
  /** The port of this machine that stands for port 80 of every name. */
  httpPort: number;
  /** How many good nonces it refuses. */
  nonceRefusals: number;
  /** How many signed requests it answers with status 500. */
  serverErrors: number;
  /** The refusal of every new order. */
  orderRefusal: Refusal | undefined;
  /** Called with the number of each new order, which waits for the result. */
  beforeOrder: (count: number) => unknown;
  /** The problem of every check, instead of its real result. */
  checkProblem: { type: string; detail: string } | undefined;
  /** How often an order is read before it leaves the state `processing`. */
  processingReads: number;
  /** The status of every account. */
  accountStatus: string;
  /** The key that new accounts must be bound by. */
  externalAccount: { kid: string; key: string } | undefined;
  /** The life of certificates, which begins a tenth of it ago. */
  lifeMs: number;
  /** When certificates are to be renewed (RFC 9773). Without it, the directory has no such address. */
  window: { start: Date; end: Date } | undefined;
  /** The names in certificates, instead of the ones that were ordered. */
  names: readonly string[] | undefined;
  /** Milliseconds since 1970. */
  now: () => number;
}

interface TestOrder {
  status: string;
  names: string[];
  authorizations: string[];
  chain: string | undefined;
  processingReads: number;
}

interface TestAuthorization {
  status: string;
  name: string;
  token: string;
  error: { type: string; detail: string } | undefined;
  account: string;
}

const NewOrder = z.object({
  identifiers: z.array(z.strictObject({ type: z.literal("dns"), value: z.string() })).min(1),
  replaces: z.string().optional(),
});
const NewAccount = z.object({
  termsOfServiceAgreed: z.literal(true),
  contact: z.array(z.string().startsWith("mailto:")).optional(),
  externalAccountBinding: z.unknown().optional(),
});
const Finalize = z.strictObject({ csr: z.string() });

/** A certificate authority that speaks ACME by RFC 8555, and RFC 9773. It is stopped when the test ends. */
export type TestCa = Awaited<ReturnType<typeof startTestCa>>;

export async function startTestCa(given: Partial<Behavior> & { httpPort: number }) {
  const behavior: Behavior = {
    ...{ nonceRefusals: 0, serverErrors: 0, processingReads: 0, accountStatus: "valid" },
    ...{ orderRefusal: undefined, checkProblem: undefined, externalAccount: undefined, window: undefined },
    beforeOrder: () => {},
    ...{ lifeMs: 90 * 86_400_000, names: undefined, now: Date.now },
    ...given,
  };
  const [authority, tls] = await Promise.all([createAuthority(), makeCertificate("localhost")]);
  const nonces = new Set<string>();
  const accounts = new Map<string, { jwk: Record<string, unknown>; contact: readonly string[] }>();
  const orders = new Map<string, TestOrder>();
  const authorizations = new Map<string, TestAuthorization>();
  /** The requests so far, in order. */
  const seen = { newOrders: [] as z.output<typeof NewOrder>[], signed: 0, checks: [] as string[] };

  const newNonce = () => {
    const nonce = randomUUID();
    nonces.add(nonce);
    return nonce;
  };
  const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
    Response.json(body, { status, headers: { ...headers, "replay-nonce": newNonce() } });

  const readRequest = async (request: Request): Promise<SignedRequest> => {
    const signed = await readSigned(request, (account) => accounts.get(account)?.jwk);
    seen.signed++;
    if (!nonces.delete(signed.header.nonce ?? "")) throw new Refusal("badNonce", 400, "unknown nonce");
    if (behavior.nonceRefusals-- > 0) throw new Refusal("badNonce", 400, "refused on purpose");
    if (behavior.serverErrors-- > 0) throw new Refusal("serverInternal", 500);
    return signed;
  };

  const routes: Record<string, (id: string, signed: SignedRequest) => Promise<Response> | Response> = {
    "new-account"(_, { header, payload, jwk }) {
      const { contact = [], externalAccountBinding } = NewAccount.parse(payload);
      const { externalAccount } = behavior;
      if (externalAccount) checkBinding(externalAccountBinding, { ...externalAccount, url: header.url, jwk });
      const known = [...accounts].find(([, account]) => account.jwk["x"] === jwk["x"])?.[0];
      const location = known ?? `${origin}/account/${randomUUID()}`;
      if (known === undefined) accounts.set(location, { jwk, contact });
      return json({ status: behavior.accountStatus, contact }, known ? 200 : 201, { location });
    },
    async "new-order"(_, { header, payload }) {
      const order = NewOrder.parse(payload);
      seen.newOrders.push(order);
      await behavior.beforeOrder(seen.newOrders.length);
      if (behavior.orderRefusal) throw behavior.orderRefusal;
      const id = randomUUID();
      const names = order.identifiers.map(({ value }) => value);
      const urls = names.map((name) => {
        const authorization = randomUUID();
        const token = randomUUID().replaceAll("-", "");
        const state = { status: "pending", name, token, error: undefined, account: header.kid ?? "" };
        authorizations.set(authorization, state);
        return `${origin}/authz/${authorization}`;
      });
      const { processingReads } = behavior;
      orders.set(id, { status: "pending", names, authorizations: urls, chain: undefined, processingReads });
      return json(describe(id), 201, { location: `${origin}/order/${id}` });
    },
    authz: (id) => json(describeAuthorization(id)),
    async challenge(id, { jwk, payload }) {
      if (payload === undefined) throw new Refusal("malformed");
      const authorization = authorizations.get(id);
      if (authorization === undefined) throw new Refusal("malformed", 404);
      const thumbprint = createHash("sha256").update(JSON.stringify(jwk)).digest("base64url");
      const expected = `${authorization.token}.${thumbprint}`;
      void check(authorization, expected);
      return json({ type: "http-01", status: "processing", url: `${origin}/challenge/${id}` });
    },
    order: (id) => {
      const order = orders.get(id);
      if (order?.status === "processing" && order.processingReads-- <= 0) order.status = "valid";
      return json(describe(id), 200, order?.status === "processing" ? { "retry-after": "0" } : {});
    },
    async finalize(id, { payload }) {
      const order = orders.get(id);
      if (order === undefined || describe(id).status !== "ready") throw new Refusal("orderNotReady", 403);
      const csr = Uint8Array.from(Buffer.from(Finalize.parse(payload).csr, "base64url"));
      const names = await authority.namesOf(csr);
      if (names.sort().join() !== [...order.names].sort().join()) throw new Refusal("badCSR");
      const from = behavior.now() - behavior.lifeMs / 10;
      const validity = { from, to: from + behavior.lifeMs };
      order.chain = await authority.sign(csr, behavior.names ?? names, validity);
      order.status = "processing";
      return json(describe(id), 200, { location: `${origin}/order/${id}` });
    },
    certificate(id) {
      const chain = orders.get(id)?.chain;
      if (chain === undefined) throw new Refusal("malformed", 404);
      return new Response(chain, {
        headers: { "content-type": "application/pem-certificate-chain", "replay-nonce": newNonce() },
      });
    },
  };

  const describe = (id: string) => {
    const {
      status,
      names,
      authorizations: urls,
      chain,
    } = orders.get(id) ?? {
      ...{ status: "invalid", names: [], authorizations: [], chain: undefined },
    };
    const states = urls.map((url) => authorizations.get(url.split("/").pop() ?? "")?.status);
    const pending = states.every((state) => state === "valid") ? "ready" : "pending";
    return {
      status: status === "pending" ? (states.includes("invalid") ? "invalid" : pending) : status,
      identifiers: names.map((value) => ({ type: "dns", value })),
      authorizations: urls,
      finalize: `${origin}/finalize/${id}`,
      ...(status === "valid" && chain && { certificate: `${origin}/certificate/${id}` }),
    };
  };
  const describeAuthorization = (id: string) => {
    const authorization = authorizations.get(id);
    if (authorization === undefined) throw new Refusal("malformed", 404);
    const { status, name, token, error } = authorization;
    const http = { type: "http-01", url: `${origin}/challenge/${id}`, token, status, error };
    const other = { type: "dns-01", url: `${origin}/other/${id}`, token, status: "pending" };
    return { status, identifier: { type: "dns", value: name }, challenges: [other, http] };
  };
  const check = async (authorization: TestAuthorization, expected: string) => {
    const { name, token } = authorization;
    seen.checks.push(name);
    const found = behavior.checkProblem ?? (await readChallenge(behavior.httpPort, name, token));
    authorization.error = typeof found !== "string" ? found : undefined;
    if (typeof found === "string" && found !== expected)
      authorization.error = { type: "urn:ietf:params:acme:error:unauthorized", detail: `got ${found}` };
    authorization.status = authorization.error ? "invalid" : "valid";
  };

  const answer = async (request: Request): Promise<Response> => {
    const [, resource = "", id = ""] = new URL(request.url).pathname.split("/");
    if (resource === "directory") return Response.json(directory());
    if (resource === "new-nonce")
      return new Response(null, { headers: { "replay-nonce": newNonce(), "cache-control": "no-store" } });
    if (resource === "renewal-info" && behavior.window)
      return Response.json({ suggestedWindow: behavior.window }, { headers: { "retry-after": "21600" } });
    const route = routes[resource];
    if (route === undefined || request.method !== "POST") throw new Refusal("malformed", 404);
    return route(id, await readRequest(request));
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    tls: { cert: Bun.file(tls.cert), key: Bun.file(tls.key) },
    async fetch(request) {
      try {
        return await answer(request);
      } catch (error) {
        const refusal = error instanceof Refusal ? error : new Refusal("malformed", 400, String(error));
        const headers = { ...refusal.headers, "replay-nonce": newNonce() };
        const body = { type: refusal.type, detail: refusal.message, status: refusal.status };
        return Response.json(body, { status: refusal.status, headers });
      }
    },
  });
  const origin = `https://localhost:${server.port}`;
  const directory = () => ({
    ...{ newNonce: `${origin}/new-nonce`, newAccount: `${origin}/new-account` },
    ...{ newOrder: `${origin}/new-order`, revokeCert: `${origin}/revoke`, keyChange: `${origin}/key-change` },
    ...(behavior.window && { renewalInfo: `${origin}/renewal-info` }),
    meta: { externalAccountRequired: behavior.externalAccount !== undefined },
  });
  onTestFinished(() => server.stop(true));
  return {
    behavior,
    seen,
    accounts,
    directory: `${origin}/directory`,
    /** The path of the certificate that clients must trust to call the authority. */
    trusted: tls.ca,
    /** The root that signs the certificates. */
    root: authority.pem,
    /** Calls the authority, and trusts it. */
    fetch: (url: string, init: RequestInit) => fetch(url, { ...init, tls: { ca: Bun.file(tls.ca) } }),
    stop: () => server.stop(true),
  };
}

/** Reads a challenge as the authority does: at the address of the name, without its own connection to that. */
function readChallenge(port: number, name: string, token: string) {
  const path = `/.well-known/acme-challenge/${token}`;
  return new Promise<string | { type: string; detail: string }>((resolve) => {
    const call = httpRequest({ host: "127.0.0.1", port, path, headers: { host: name } }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? text : `status ${response.statusCode}`));
    });
    call.on("error", ({ message }) =>
      resolve({ type: "urn:ietf:params:acme:error:connection", detail: message }),
    );
    call.end();
  });
}
