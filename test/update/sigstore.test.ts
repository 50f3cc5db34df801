import { expect, test } from "bun:test";
import { verifyBundle } from "../../src/update/sigstore.ts";
import { createSigstore } from "../support/update/signed-statement.ts";

const REPOSITORY = "me/it";
const HASH = "ab".repeat(32);
const WORKFLOW = `https://github.com/${REPOSITORY}/.github/workflows/release.yml@refs/tags/v0.2.0`;
const sigstore = createSigstore();

type Bundle = Awaited<ReturnType<Awaited<typeof sigstore>["signStatement"]>>;

/** Signs a statement, changes it, and checks it. Returns why it does not hold; undefined if it does. */
async function check(
  given: object = {},
  change: (bundle: Bundle) => void = () => {},
  repository = REPOSITORY,
) {
  const { root, signStatement } = await sigstore;
  const bundle = await signStatement({ hashes: ["00".repeat(32), HASH], workflow: WORKFLOW, ...given });
  change(bundle);
  return verifyBundle(JSON.stringify(bundle), { sha256: HASH, repository }, root);
}

test("a statement of the release workflow holds for each of the files that it names", async () => {
  expect(await check()).toBeUndefined();
});

const workflow = (from: string, to: string) => ({ workflow: WORKFLOW.replace(from, to) });

test.each<[string, object, ((bundle: Bundle) => void) | undefined, string]>([
  ["it names the file", { hashes: ["00".repeat(32)] }, undefined, "about other files"],
  ["it is of the repository", workflow("me/it", "me/it2"), undefined, "certificate identity"],
  ["it is of the release workflow", workflow("release.yml", "ci.yml"), undefined, "certificate identity"],
  [
    "it was made at a tag of a version",
    workflow("tags/v0.2.0", "heads/main"),
    undefined,
    "certificate identity",
  ],
  ["GitHub says who made it", { issuer: "https://accounts.example.com" }, undefined, "certificate extension"],
  [
    "it is one about the origin",
    { predicateType: "https://example.com/other" },
    undefined,
    "not one about the origin",
  ],
  [
    "its text was not changed",
    {},
    (bundle) => {
      const payload = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString().replace("00", "ff");
      bundle.dsseEnvelope.payload = Buffer.from(payload).toString("base64");
    },
    "cannot be verified",
  ],
  [
    "it is in the public log",
    {},
    (bundle) => {
      bundle.verificationMaterial.tlogEntries = [];
    },
    "cannot be verified",
  ],
])("a statement about the origin of a file holds only if %s", async (_, given, change, why) => {
  expect(await check(given, change)).toContain(why);
});

test("a statement that was signed under another root does not hold", async () => {
  const { signStatement } = await sigstore;
  const bundle = JSON.stringify(await signStatement({ hashes: [HASH], workflow: WORKFLOW }));
  const expected = { sha256: HASH, repository: REPOSITORY };
  expect(verifyBundle(bundle, expected)).toContain("cannot be verified");
  expect(verifyBundle(bundle, expected, (await createSigstore()).root)).toContain("cannot be verified");
});

test.each(["", "{}", "[]", "not JSON", '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}'])(
  "the text %j is not a statement",
  (text) => {
    expect(verifyBundle(text, { sha256: HASH, repository: REPOSITORY })).toContain("cannot be verified");
  },
);
