import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { CommandError } from "../errors.ts";
import { fileErrorText } from "../system-error.ts";

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
