import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { DomainCertificate, RenewalState } from "../acme/domain-certificate.ts";
import type { Clock } from "../clock.ts";
import { domainUrl } from "../config/domain-url.ts";
import type { Config } from "../config/settings.ts";
import { acmeFolderIn } from "../data-folder.ts";
import { CommandError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { fileErrorText } from "../system-error.ts";
import { cannotListen } from "./listen-error.ts";

/** The paths of the PEM files: the certificate with its chain, and its key. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** The contents of the files, which belong together, and the host names and the expiry, for the log. */
export type Certificate = ReturnType<typeof readCertificate>;

/** Reads the files. Throws a one-line `CommandError` that names the file at fault, never its contents. */
export function readCertificate(files: CertificateFiles) {
  const cert = readText(files.cert, "certificate");
  const key = readText(files.key, "key");
  const certificate = attempt(
    () => new X509Certificate(cert),
    `The file ${files.cert} does not contain a certificate in PEM form.`,
  );
  const privateKey = attempt(
    () => createPrivateKey(key),
    `The file ${files.key} does not contain an unencrypted key in PEM form.`,
  );
  if (!attempt(() => certificate.checkPrivateKey(privateKey), `The key in ${files.key} cannot be used.`))
    throw new CommandError(`The key in ${files.key} does not belong to the certificate in ${files.cert}.`);
  const { subjectAltName, subject, validTo } = certificate;
  return { cert, key, names: subjectAltName ?? subject, validTo };
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandError(`Cannot read the ${what} file ${path}: ${fileErrorText(error)}`, { cause: error });
  }
}

function attempt<T>(run: () => T, fault: string): T {
  try {
    return run();
  } catch (cause) {
    throw new CommandError(fault, { cause });
  }
}

interface OwnCertificateParts {
  log: Log;
  clock: Clock;
  /** The version of this program. */
  version: string;
  /** Ends a first order that is running. */
  stopping: AbortSignal | undefined;
}

/**
 * Resolves with the certificate that the server gets by itself, with `--domain`; otherwise with undefined. Orders it if
 * none was kept, which may take minutes. Rejects with a `CommandError` that says why there is none.
 */
export async function openOwnCertificate(
  config: Config,
  { log, clock, version, stopping }: OwnCertificateParts,
): Promise<DomainCertificate | undefined> {
  const { domains, host, port, acmeHttpPort, acmeEabKid, acmeEabKey } = config;
  if (domains === undefined) return undefined;
  // Only servers with `--domain` load it.
  const { openDomainCertificate } = await import("../acme/domain-certificate.ts");
  return openDomainCertificate({
    ...{ domains, log, clock, stopping, folder: acmeFolderIn(config.data) },
    directory: config.acmeDirectory,
    email: config.acmeEmail,
    externalAccount: acmeEabKid && acmeEabKey ? { keyId: acmeEabKid, hmacKey: acmeEabKey } : undefined,
    userAgent: `chatgpt-api-server/${version}`,
    http: {
      ...{ port: acmeHttpPort, host, originOf: (domain: string) => domainUrl(domain, port) },
      cannotListen: (cause) => cannotListen(host, acmeHttpPort, cause),
    },
  });
}

/** Returns the files of the server's certificate; undefined for a server without TLS. */
export function certificateFilesOf(
  { tlsCert, tlsKey }: Config,
  own: DomainCertificate | undefined,
): CertificateFiles | undefined {
  if (own) return { cert: own.path, key: own.path };
  return tlsCert && tlsKey ? { cert: tlsCert, key: tlsKey } : undefined;
}

/** The state of the certificate in use, for health checks, metrics and the dashboard. */
export interface CertificateState {
  names: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  /** Undefined if the server does not renew it itself. */
  renewal: RenewalState | undefined;
}

/** Returns the state of a certificate that is in use, if there is one. */
export function certificateState(
  used: Pick<Certificate, "names" | "validTo"> | undefined,
  own: Pick<DomainCertificate, "state"> | undefined,
): CertificateState | undefined {
  return used && { names: used.names, expiresAt: Date.parse(used.validTo), renewal: own?.state() };
}
