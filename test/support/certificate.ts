import { writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { generate } from "selfsigned";
import { tempFolder } from "./store.ts";

/** The paths of PEM files. */
export interface TestCertificate {
  cert: string;
  key: string;
  /** The authority that a client must trust to accept the certificate. */
  ca: string;
}

const EC = { keyType: "ec", algorithm: "sha256" } as const;

/**
 * Makes a certificate for localhost, 127.0.0.1 and `name`, which may be an address, signed by an authority of its own. The files are
 * removed when the test ends.
 */
export async function makeCertificate(name: string): Promise<TestCertificate> {
  const authority = await generate([{ name: "commonName", value: "CA" }], {
    ...EC,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });
  const names = [
    { type: 2, value: "localhost" },
    isIP(name) > 0 ? ({ type: 7, ip: name } as const) : ({ type: 2, value: name } as const),
    { type: 7, ip: "127.0.0.1" },
  ] as const;
  const signed = await generate([{ name: "commonName", value: name }], {
    ...EC,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [{ name: "subjectAltName", altNames: [...names] }],
  });
  const folder = tempFolder();
  const write = (file: string, pem: string) => {
    const path = join(folder, file);
    writeFileSync(path, pem);
    return path;
  };
  return {
    cert: write("cert.pem", signed.cert),
    key: write("key.pem", signed.private),
    ca: write("ca.pem", authority.cert),
  };
}
