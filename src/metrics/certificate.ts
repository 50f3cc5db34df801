import type { Registry } from "./registry.ts";

/** Returns the state of the certificate in use, its expiry in ms since 1970; undefined before the server listens. */
export type CertificateSource = () =>
  | { expiresAt: number; renewal: { failure: string | undefined } | undefined }
  | undefined;

/** Registers when the certificate expires, and whether its renewal fails. */
export function createCertificateMetrics({ collect }: Registry, read: CertificateSource): void {
  const expiry = {
    name: "chatgpt_api_certificate_expiry_timestamp_seconds",
    help: "When the TLS certificate expires, in seconds since 1970.",
  };
  collect("gauge", expiry, () => (read()?.expiresAt ?? 0) / 1000);
  const failing = {
    name: "chatgpt_api_certificate_renewal_failing",
    help: "1 if the last order of a certificate failed, otherwise 0.",
  };
  collect("gauge", failing, () => Number(read()?.renewal?.failure !== undefined));
}
