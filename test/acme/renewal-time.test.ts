import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { certificateId, renewalByAge } from "../../src/acme/renewal-time.ts";

/** The example of RFC 9773, appendix A. */
const EXAMPLE = `-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----`;

test("the identifier of a certificate is the one of the example in RFC 9773", () => {
  expect(certificateId(new X509Certificate(EXAMPLE))).toBe("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
});

test.each([
  [90, 0, 60],
  [90, 1, 57],
  [6, 0, 4],
])("a certificate for %p days is renewed, with the random part %p, after %p days", (days, random, after) => {
  const from = Date.UTC(2026, 0, 1);
  const dates = { validFrom: new Date(from), validTo: new Date(from + days * 86_400_000) };
  const certificate = { validFrom: dates.validFrom.toString(), validTo: dates.validTo.toString() };
  expect(renewalByAge(certificate as X509Certificate, random) - from).toBe(after * 86_400_000);
});
