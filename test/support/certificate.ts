import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./store.ts";

export interface TestCertificate {
  cert: string;
  key: string;
  /** What is to be trusted for it to be good. */
  ca: string;
}

/** Why no certificates can be made here; undefined where they can. */
export const noCertificates = Bun.which("openssl") ? undefined : "openssl is not installed";

function openssl(folder: string, args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args], { cwd: folder });
  if (exitCode !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
}

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Files of a certificate for localhost, 127.0.0.1 and `name`, by an authority of its own; gone when the test is over. */
export function makeCertificate(name: string): TestCertificate {
  const folder = tempFolder();
  writeFileSync(join(folder, "names"), `subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:${name}`);
  openssl(folder, [
    "req",
    "-x509",
    ...EC,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=CA",
  ]);
  openssl(folder, ["req", ...EC, "-keyout", "key.pem", "-out", "request", "-subj", `/CN=${name}`]);
  const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
  openssl(folder, ["x509", "-req", "-in", "request", ...by, "-out", "cert.pem", "-days", "2"]);
  return { cert: join(folder, "cert.pem"), key: join(folder, "key.pem"), ca: join(folder, "ca.pem") };
}
