import { expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkProvenance } from "../../src/update/provenance.ts";
import { findRelease } from "../../src/update/release.ts";
import { tempFolder } from "../support/store.ts";

const SHA256 = "ab".repeat(32);

/** Checks a release in a folder, with a program `gh` on the PATH that ends with this code, if there is one. */
async function check({
  bundle,
  gh,
  repository = "me/it",
}: {
  bundle?: string;
  gh?: number;
  repository?: string | undefined;
}) {
  const folder = tempFolder();
  if (bundle !== undefined) writeFileSync(join(folder, "provenance.sigstore.json"), bundle);
  const calls = join(folder, "calls");
  if (gh !== undefined) {
    const script = `#!/bin/sh\necho "$@" > '${calls}'\necho 'not logged in' >&2\nexit ${gh}\n`;
    writeFileSync(join(folder, "gh"), script);
    chmodSync(join(folder, "gh"), 0o755);
  }
  const release = await findRelease({ from: folder, version: undefined });
  const options = { release, file: "/tmp/it", sha256: SHA256, env: { PATH: folder } };
  const result = await checkProvenance({ ...options, repository: repository || undefined });
  return { result, calls: gh === undefined ? "" : readFileSync(calls, "utf8") };
}

test("a statement that does not hold makes a release a forgery, whatever gh says", async () => {
  expect((await check({ bundle: "{}" })).result.state).toBe("forged");
});

test("without a repository, or a statement and gh, nothing is proven", async () => {
  expect((await check({ bundle: "{}", repository: "" })).result.state).toBe("unverified");
  expect((await check({})).result).toEqual({
    state: "unverified",
    why: "the release has no provenance.sigstore.json, and gh is not on the PATH",
  });
});

test.if(process.platform !== "win32")(
  "without a statement gh is asked about the file and its repository",
  async () => {
    const verified = await check({ gh: 0 });
    expect(verified).toEqual({
      result: { state: "verified", by: "gh, for me/it" },
      calls: "attestation verify /tmp/it --repo me/it\n",
    });
    expect((await check({ gh: 1 })).result).toEqual({ state: "unverified", why: "gh says: not logged in" });
  },
);
