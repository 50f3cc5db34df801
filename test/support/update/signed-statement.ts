import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { initializeCA, initializeCTLog, initializeTLog } from "@sigstore/mock";

const ISSUER = "https://token.actions.githubusercontent.com";
const PAYLOAD_TYPE = "application/vnd.in-toto+json";

const keys = (namedCurve = "P-256") => generateKeyPairSync("ec", { namedCurve });
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64");
const spki = ({ publicKey }: ReturnType<typeof keys>) => publicKey.export({ format: "der", type: "spki" });

interface Signed {
  /** The SHA-256 hashes of the files that the statement is about. */
  hashes: readonly string[];
  /** The workflow, such as `https://github.com/me/it/.github/workflows/release.yml@refs/tags/v0.2.0`. */
  workflow: string;
  issuer?: string;
  predicateType?: string;
}

/** A certificate authority, a log of certificates and a log of signatures, as Sigstore runs them. */
export async function createSigstore() {
  const [caKeys, ctKeys, logKeys] = [keys("P-384"), keys(), keys()];
  const ctLog = await initializeCTLog(ctKeys);
  const ca = await initializeCA(caKeys, ctLog);
  const log = await initializeTLog("https://rekor.sigstore.dev", logKeys);
  const validFor = { start: new Date(Date.now() - 3_600_000).toISOString() };
  const key = (rawBytes: Uint8Array) => ({
    rawBytes: base64(rawBytes),
    keyDetails: "PKIX_ECDSA_P256_SHA_256",
    validFor,
  });
  const logOf = (baseUrl: string, publicKey: Uint8Array) => ({
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: key(publicKey),
    logId: { keyId: createHash("sha256").update(publicKey).digest("base64") },
  });
  const root = {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [logOf("https://rekor.sigstore.dev", spki(logKeys))],
    ctlogs: [logOf("https://ctfe.sigstore.dev", spki(ctKeys))],
    timestampAuthorities: [],
    certificateAuthorities: [
      {
        subject: { organization: "sigstore.mock", commonName: "sigstore" },
        uri: "https://fulcio.sigstore.dev",
        certChain: { certificates: [{ rawBytes: base64(ca.rootCertificate as Uint8Array) }] },
        validFor,
      },
    ],
  };

  /** Signs a statement as the workflow. Returns the bundle. */
  async function signStatement({ hashes, workflow, issuer = ISSUER, predicateType }: Signed) {
    const own = keys();
    const certificate = (await ca.issueCertificate({
      publicKey: spki(own) as ArrayBufferView<ArrayBuffer>,
      subjectAltName: workflow,
      extensions: [{ oid: "1.3.6.1.4.1.57264.1.8", value: issuer }],
    })) as Uint8Array;
    const payload = JSON.stringify({
      _type: "https://in-toto.io/Statement/v1",
      predicateType: predicateType ?? "https://slsa.dev/provenance/v1",
      subject: hashes.map((sha256, index) => ({ name: `file-${index}`, digest: { sha256 } })),
      predicate: {},
    });
    const encoded = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} ${payload}`;
    const signature = base64(sign("sha256", Buffer.from(encoded), own.privateKey));
    const pem = `-----BEGIN CERTIFICATE-----\n${base64(certificate).replace(/(.{64})/g, "$1\n")}\n-----END CERTIFICATE-----\n`;
    const value = createHash("sha256").update(payload).digest("hex");
    const entries = await log.log({
      apiVersion: "0.0.1",
      kind: "dsse",
      spec: {
        envelopeHash: { algorithm: "sha256", value },
        payloadHash: { algorithm: "sha256", value },
        signatures: [{ signature, verifier: base64(pem) }],
      },
    });
    return bundleOf(entries, certificate, { payload: base64(payload), signature });
  }
  return { root, signStatement };
}

/** The part of an answer of the log that a bundle has. */
interface Entry {
  body: string;
  integratedTime: number;
  logID: string;
  logIndex: number;
  verification: {
    signedEntryTimestamp: string;
    inclusionProof: { logIndex: number; rootHash: string; treeSize: number; checkpoint: string };
  };
}

function bundleOf(entries: object, certificate: Uint8Array, signed: { payload: string; signature: string }) {
  const [entry]: (Entry | undefined)[] = Object.values(entries);
  const verification = entry?.verification;
  const proof = verification?.inclusionProof;
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {
      certificate: { rawBytes: base64(certificate) },
      tlogEntries: [
        {
          logIndex: String(entry?.logIndex),
          logId: { keyId: Buffer.from(entry?.logID ?? "", "hex").toString("base64") },
          kindVersion: { kind: "dsse", version: "0.0.1" },
          integratedTime: String(entry?.integratedTime),
          inclusionPromise: { signedEntryTimestamp: verification?.signedEntryTimestamp },
          inclusionProof: {
            logIndex: String(proof?.logIndex),
            rootHash: Buffer.from(proof?.rootHash ?? "", "hex").toString("base64"),
            treeSize: String(proof?.treeSize),
            hashes: [],
            checkpoint: { envelope: proof?.checkpoint },
          },
          canonicalizedBody: entry?.body,
        },
      ],
    },
    dsseEnvelope: {
      payload: signed.payload,
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: signed.signature }],
    },
  };
}
