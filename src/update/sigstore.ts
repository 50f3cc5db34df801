import { type Bundle, bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { z } from "zod";
import { parseJson } from "../json/parse.ts";
import { printable } from "../printable.ts";
import sigstoreRoot from "./sigstore-root.json";

/** The issuer of the identities of GitHub's workflows. */
const ISSUER = "https://token.actions.githubusercontent.com";
const WORKFLOW = ".github/workflows/release.yml";
const PREDICATE = "https://slsa.dev/provenance/v1";

interface Expected {
  /** The SHA-256 hash of the executable. */
  sha256: string;
  /** Such as `owner/name`. */
  repository: string;
}

const Statement = z.object({
  predicateType: z.literal(PREDICATE),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })).max(1_000),
});

/**
 * Checks the signed statement that a workflow of GitHub makes about the files that it has built, against the public roots
 * of Sigstore that this program has. Asks nobody. Returns undefined if it holds, and else why it does not.
 */
export function verifyBundle(
  text: string,
  { sha256, repository }: Expected,
  root: unknown = sigstoreRoot,
): string | undefined {
  let bundle: Bundle;
  try {
    bundle = bundleFromJSON(parseJson(text));
    const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(root)));
    verifier.verify(toSignedEntity(bundle), {
      subjectAlternativeName: workflowPattern(repository),
      extensions: { issuer: ISSUER },
    });
  } catch (error) {
    return printable(`the statement cannot be verified (${error instanceof Error ? error.message : "?"})`);
  }
  const statement = statementOf(bundle);
  if (!statement) return "the statement is not one about the origin of files";
  const isAbout = statement.subject.some(({ digest }) => digest["sha256"] === sha256);
  return isAbout ? undefined : "the statement is about other files";
}

/** The workflow that makes releases, at a tag of a version. */
function workflowPattern(repository: string): RegExp {
  const workflow = RegExp.escape(`https://github.com/${repository}/${WORKFLOW}@refs/tags/v`);
  return new RegExp(`^${workflow}\\d[0-9A-Za-z.-]*$`, "i");
}

function statementOf({ content }: Bundle) {
  if (content.$case !== "dsseEnvelope") return undefined;
  const payload = Buffer.from(content.dsseEnvelope.payload).toString("utf8");
  return Statement.safeParse(parseJson(payload)).data;
}
