import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { createCsr } from "../../src/acme/csr.ts";
import { createAuthority } from "../support/acme/authority.ts";
import { testWith } from "../support/programs.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

test.each([1, 2, 4, 5, 9, 10, 100])(
  "a request for %p names has all of them, and a right signature",
  async (count) => {
    const names = Array.from(
      { length: count },
      (_, index) => `name-${index}.${"long-".repeat(3)}x.example.com`,
    );
    const { namesOf } = await createAuthority();
    expect(await namesOf(Uint8Array.from(createCsr(names, privateKey)))).toEqual(names);
  },
);

testWith("openssl", "openssl reads a request and confirms its signature", async (openssl) => {
  const command = [openssl, "req", "-inform", "DER", "-noout", "-text", "-verify"];
  const stdin = new Blob([Uint8Array.from(createCsr(["a.example.com", "b.example.com"], privateKey))]);
  const child = Bun.spawn(command, { stdin, stdout: "pipe", stderr: "pipe" });
  const [text, verified] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(text).toContain("DNS:a.example.com, DNS:b.example.com");
  expect(text + verified).toContain("verify OK");
});
