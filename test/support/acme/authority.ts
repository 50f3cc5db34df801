import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as Crypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate authority that signs certificates for requests. */
export type Authority = Awaited<ReturnType<typeof createAuthority>>;

/** Creates an authority with a root of its own. */
export async function createAuthority() {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const now = Date.now();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: "CN=Test root",
    notBefore: new Date(now - 86_400_000),
    notAfter: new Date(now + 3650 * 86_400_000),
    signingAlgorithm: ALGORITHM,
    keys: keys as CryptoKeyPair,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as CryptoKey),
    ],
  });
  let serial = 0x8a00;
  return {
    pem: root.toString("pem"),
    /** Returns the host names of a request in DER, after a check of its signature. */
    async namesOf(der: Uint8Array<ArrayBuffer>): Promise<string[]> {
      const csr = new x509.Pkcs10CertificateRequest(der);
      if (!(await csr.verify())) throw new Error("the signature of the request is wrong");
      const found = csr.extensions.find((each) => each instanceof x509.SubjectAlternativeNameExtension);
      return (found?.names.items ?? []).map(({ type, value }) => {
        if (type !== "dns") throw new Error(`the request has a name that is not a DNS name: ${type}`);
        return value;
      });
    },
    /** Signs a certificate, and returns it with the root, in PEM form. */
    async sign(
      der: Uint8Array<ArrayBuffer>,
      names: readonly string[],
      validity: { from: number; to: number },
    ) {
      const csr = new x509.Pkcs10CertificateRequest(der);
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: (serial++).toString(16),
        subject: "",
        issuer: root.subject,
        notBefore: new Date(validity.from),
        notAfter: new Date(validity.to),
        signingKey: keys.privateKey as CryptoKey,
        publicKey: csr.publicKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: "dns" as const, value })),
            true,
          ),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey as CryptoKey),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        ],
      });
      return `${certificate.toString("pem")}\n${root.toString("pem")}\n`;
    },
  };
}
