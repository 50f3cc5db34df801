import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import type { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Connection } from "./connection.ts";
import { createCsr } from "./csr.ts";
import { bindExternalAccount, type ExternalAccount, keyAuthorization } from "./jws.ts";
import { AcmeError, challengeError, requestError } from "./problem.ts";
import { validityOf } from "./renewal-time.ts";
import { Account, Authorization, Order } from "./shapes.ts";
import { sleep } from "./wait.ts";

/** Publishes the answers to the CA's checks (HTTP-01). */
export interface Challenges {
  /** Answers the checks of a token. Returns a function that ends that. */
  add(token: string, answer: string): () => void;
}

export interface OrderOptions {
  connection: Connection;
  /** A P-256 key. It is registered, unless the CA knows it. */
  accountKey: KeyObject;
  email: string | undefined;
  externalAccount: ExternalAccount | undefined;
  domains: readonly string[];
  /** The identifier of the certificate that the new one replaces, for CAs that announce renewals. */
  replaces: string | undefined;
  challenges: Challenges;
  clock: Clock;
  signal: AbortSignal;
  /** How long to wait before asking again for a state that changes. Default: 1 s. */
  pollEveryMs?: number;
}

/** The certificate with its chain, and its private key, both in PEM form. */
export interface OrderedCertificate {
  chain: string;
  key: string;
}

const POLL_MAX_MS = 10_000;

/**
 * Registers the account if necessary, proves that the domains lead here, and resolves with a certificate for all of them
 * and its new key. Rejects with an `AcmeError`, or with the reason of the signal.
 */
export async function orderCertificate(options: OrderOptions): Promise<OrderedCertificate> {
  const { connection, domains } = options;
  await register(options);
  const { url, order } = await createOrder(options);
  await authorize(options, order.authorizations);
  const ready = await readOrder(options, url, ({ status }) => status !== "pending");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  if (ready.status === "ready") {
    const csr = createCsr(domains, privateKey).toString("base64url");
    await connection.post(ready.finalize, Order, { csr });
  }
  const done = await readOrder(options, url, ({ status }) => status === "valid");
  if (done.certificate === undefined)
    throw new AcmeError("The CA's order is complete, but it has no certificate.");
  const chain = readChain(await connection.readPem(done.certificate), privateKey, options);
  return { chain, key: privateKey.export({ type: "pkcs8", format: "pem" }) };
}

/** A CA answers the registration of a key that it knows with its account, so the account's URL is not kept. */
async function register({ connection, accountKey, email, externalAccount }: OrderOptions): Promise<void> {
  const { newAccount, meta } = connection.directory;
  if (meta?.externalAccountRequired && externalAccount === undefined)
    throw requestError({ type: "externalAccountRequired", detail: "An external account is required." }, 403);
  connection.signAs(accountKey);
  const { body, location } = await connection.post(newAccount, Account, {
    termsOfServiceAgreed: true,
    ...(email !== undefined && { contact: [`mailto:${email}`] }),
    ...(externalAccount && {
      externalAccountBinding: bindExternalAccount(externalAccount, accountKey, newAccount),
    }),
  });
  if (location === undefined || body.status !== "valid")
    throw requestError({ type: "unauthorized", detail: `The account is ${body.status}` }, 403);
  connection.signAs(accountKey, location);
}

/** Orders the certificate. If the CA does not take it for a renewal, it is ordered as a new one. */
async function createOrder(options: OrderOptions): Promise<{ url: string; order: Order }> {
  const { connection, domains, replaces } = options;
  const identifiers = domains.map((value) => ({ type: "dns", value }));
  const { newOrder } = connection.directory;
  const create = (more: object) => connection.post(newOrder, Order, { identifiers, ...more });
  const reply = await create(replaces === undefined ? {} : { replaces }).catch((error: unknown) => {
    const isReplacement = error instanceof AcmeError && REPLACEMENT_FAULTS.has(error.type);
    if (replaces === undefined || !isReplacement) throw error;
    return create({});
  });
  if (reply.location === undefined) throw new AcmeError("The CA did not say where the order is.");
  return { url: reply.location, order: reply.body };
}

/** The CA does not know the certificate that is to be replaced, or has replaced it before. */
const REPLACEMENT_FAULTS = new Set(["alreadyReplaced", "malformed"]);

/** Proves for each domain that it leads here. All checks run at the same time. */
async function authorize(options: OrderOptions, authorizations: readonly string[]): Promise<void> {
  const { connection, challenges, accountKey } = options;
  const ends: (() => void)[] = [];
  try {
    const pending: string[] = [];
    for (const url of authorizations) {
      const { body: authorization } = await connection.post(url, Authorization);
      if (authorization.status === "valid") continue;
      const challenge = challengeOf(authorization);
      if (challenge?.token === undefined)
        throw new AcmeError(
          `The CA offers no check over HTTP for ${authorization.identifier.value}, and this server has no other.`,
        );
      const { token } = challenge;
      ends.push(challenges.add(token, keyAuthorization(token, accountKey)));
      await connection.post(challenge.url, Account.partial(), {});
      pending.push(url);
    }
    for (const url of pending) {
      const body = await poll(options, url, Authorization, ({ status }) => status !== "pending");
      if (body.status !== "valid") throw challengeError(body.identifier.value, challengeOf(body)?.error);
    }
  } finally {
    for (const end of ends) end();
  }
}

const challengeOf = ({ challenges }: Authorization) => challenges.find(({ type }) => type === "http-01");

/** Reads the order until it is as wanted. Rejects if it has failed. */
async function readOrder(
  options: OrderOptions,
  url: string,
  isWanted: (order: Order) => boolean,
): Promise<Order> {
  const order = await poll(options, url, Order, (each) => each.status === "invalid" || isWanted(each));
  if (order.status !== "invalid") return order;
  throw requestError(order.error ?? { type: "", detail: "The order failed." }, 403);
}

/** Reads the resource until it is done, with pauses that grow, or as the CA wants them. */
async function poll<Shape extends z.ZodType>(
  { connection, clock, signal, pollEveryMs = 1_000 }: OrderOptions,
  url: string,
  shape: Shape,
  isDone: (body: z.output<Shape>) => boolean,
): Promise<z.output<Shape>> {
  for (let pauseMs = pollEveryMs; ; pauseMs *= 1.5) {
    const { body, retryAfterMs } = await connection.post(url, shape);
    if (isDone(body)) return body;
    const waitMs = Math.max(retryAfterMs ?? pauseMs, pollEveryMs);
    await sleep(clock, Math.min(waitMs, POLL_MAX_MS), signal);
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Returns the certificates of the text, and nothing else of it. Throws if the first is not the one that was ordered. */
function readChain(pem: string, key: KeyObject, { domains, clock }: OrderOptions): string {
  const [own, ...others] = pem.match(CERTIFICATE) ?? [];
  const certificate = own === undefined ? undefined : parseCertificate(own);
  if (!certificate?.checkPrivateKey(key) || !domains.every((name) => certificate.checkHost(name)))
    throw new AcmeError("The CA sent another certificate than the one that was ordered.");
  const { from, to } = validityOf(certificate);
  if (from > clock.now() || to <= clock.now())
    throw new AcmeError("The new certificate is not valid at the time of this machine. Set its clock.");
  return `${[own, ...others].join("\n")}\n`;
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
