import { printable } from "../printable.ts";
import { readAtMost } from "./read-at-most.ts";
import type { Release } from "./release.ts";

/** The file of a release with the signed statement about the origin of its executables: a Sigstore bundle. */
const BUNDLE_NAME = "provenance.sigstore.json";
const BUNDLE_BYTES_MAX = 1024 * 1024;

/** Whether it is proven that the workflow of the project's repository built an executable. */
export type Provenance =
  | { state: "verified"; by: string }
  /** Nothing speaks for it or against it. */
  | { state: "unverified"; why: string }
  /** There is a statement, and it does not hold. */
  | { state: "forged"; why: string };

interface CheckOptions {
  release: Release;
  /** The downloaded executable, and its SHA-256 hash. */
  file: string;
  sha256: string;
  repository: string | undefined;
  env: Record<string, string | undefined>;
}

/** Checks the statement of a release by itself, without asking anybody, or else by GitHub's program `gh`. */
export async function checkProvenance(options: CheckOptions): Promise<Provenance> {
  const { release, sha256, repository } = options;
  if (repository === undefined)
    return { state: "unverified", why: "this build does not know its repository" };
  const bundle = await release.open(BUNDLE_NAME);
  if (!bundle) return askGh(options, repository);
  const text = await readAtMost(bundle.body, BUNDLE_BYTES_MAX);
  // Loaded only now: no other command needs it.
  const { verifyBundle } = await import("./sigstore.ts");
  const why = verifyBundle(text, { sha256, repository });
  return why === undefined
    ? { state: "verified", by: `the workflow of ${repository}` }
    : { state: "forged", why };
}

const GH_MS = 120_000;

async function askGh({ file, env }: CheckOptions, repository: string): Promise<Provenance> {
  const gh = Bun.which("gh", { PATH: env["PATH"] ?? "" });
  if (gh === null)
    return { state: "unverified", why: `the release has no ${BUNDLE_NAME}, and gh is not on the PATH` };
  const child = Bun.spawn([gh, "attestation", "verify", file, "--repo", repository], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: GH_MS,
  });
  const [said, code] = await Promise.all([child.stderr.text(), child.exited]);
  if (code === 0) return { state: "verified", by: `gh, for ${repository}` };
  // It fails alike without a network, without a login, and for a forged file.
  return { state: "unverified", why: `gh says: ${printable(said.trim().slice(0, 300))}` };
}
