import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { CommandError } from "../errors.ts";

/** Where the certificate with its chain, and its key, lie: PEM files. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** What the files hold, known to fit together. */
export interface Certificate {
  cert: string;
  key: string;
  /** For the log: whom it is for, and until when. */
  names: string;
  validTo: string;
}

/** Throws a `CommandError` of one line, which names the file at fault and never what is in it. */
export function readCertificate(files: CertificateFiles): Certificate {
  const cert = readText(files.cert, "certificate");
  const key = readText(files.key, "key");
  const own = attempt(() => new X509Certificate(cert), `${files.cert} holds no certificate in PEM form`);
  const secret = attempt(() => createPrivateKey(key), `${files.key} holds no unencrypted key in PEM form`);
  if (!attempt(() => own.checkPrivateKey(secret), `the key in ${files.key} cannot be used`))
    throw new CommandError(`TLS: the key in ${files.key} is not that of the certificate in ${files.cert}`);
  return { cert, key, names: own.subjectAltName ?? own.subject, validTo: own.validTo };
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(`TLS: cannot read the ${what} file ${path} (${code}): check its path and mode`, {
      cause: error,
    });
  }
}

function attempt<T>(run: () => T, fault: string): T {
  try {
    return run();
  } catch (cause) {
    throw new CommandError(`TLS: ${fault}`, { cause });
  }
}
