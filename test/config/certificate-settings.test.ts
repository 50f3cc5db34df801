import { describe, expect, test } from "bun:test";
import { readServerArgs } from "../../src/cli/args.ts";
import { domainUrlOf } from "../../src/config/domain-url.ts";
import { describeSettings } from "../../src/config/settings.ts";
import { faultsOf } from "../support/command-faults.ts";

type Env = Record<string, string | undefined>;

const ADMIN = { ADMIN_KEY: "key" };
const read = (args: readonly string[], env: Env = ADMIN) => readServerArgs({ args, env }).config;
const faults = (args: readonly string[]) => faultsOf(() => read(args)).join("\n");

describe("--domain", () => {
  test("names may be repeated or separated by commas, and are read in lower case and ASCII", () => {
    const args = [
      "--domain",
      "Chat.Example.com,b.example.com.",
      "--domain",
      "bücher.example",
      "--domain",
      "b.example.com",
    ];
    expect(read(args).domains).toEqual(["chat.example.com", "b.example.com", "xn--bcher-kva.example"]);
  });

  test("the port defaults to 443 with a domain, and to 8080 without one", () => {
    expect([read([]).port, read(["--domain", "a.example"]).port]).toEqual([8080, 443]);
    expect(read([], { ...ADMIN, CHATGPT_API_DOMAIN: "a.example" }).port).toBe(443);
    expect(read(["8443", "key", "--domain", "a.example"]).port).toBe(8443);
  });

  test("the address of the server has its first name, and the port unless it is that of https", () => {
    const domain = ["--domain", "a.example,b.example"];
    expect(domainUrlOf(read(domain))).toBe("https://a.example");
    expect(domainUrlOf(read(["8443", "key", ...domain]))).toBe("https://a.example:8443");
    expect(domainUrlOf(read([]))).toBeUndefined();
  });

  test.each([
    "*.example.com",
    "203.0.113.7",
    "localhost",
    "a.example:443",
    "https://a.example",
    "a..example",
    "-a.example",
    "a_b.example",
    `${"a".repeat(64)}.example`,
    Array.from({ length: 101 }, (_, index) => `n${index}.example`).join(","),
  ])("%s is refused with an example of a host name", (name) => {
    expect(faults(["--domain", name])).toContain("Give at most 100 host names");
  });

  test.each([
    [["--tls-cert", "c.pem", "--tls-key", "k.pem"], "Leave out --tls-cert and --tls-key, or --domain."],
    [["--port", "80"], "Port 80 answers the CA's checks"],
    [["--port", "0"], "Give one other than 0"],
    [["--acme-eab-kid", "id"], "--acme-eab-kid and --acme-eab-key belong together"],
    [
      ["--nats", "nats://a", "--database", "postgres://db/chat", "--cluster-key", "c".repeat(32)],
      "--domain is for a single server",
    ],
  ])("a domain with %p is refused with a sentence that says what to do", (args, words) => {
    expect(faults(["--domain", "a.example", ...args])).toContain(words);
  });
});

describe("the CA", () => {
  test.each([
    ["letsencrypt", "https://acme-v02.api.letsencrypt.org/directory", "letsencrypt"],
    ["letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory", "letsencrypt-staging"],
    ["https://ca.internal/acme/acme/directory", "https://ca.internal/acme/acme/directory", undefined],
  ])("%s is the directory %s", (given, directory, shown = directory) => {
    const config = read(["--acme-directory", given]);
    expect(config.acmeDirectory).toBe(directory);
    expect(describeSettings(config).acmeDirectory.value).toBe(shown);
  });

  test.each(["http://ca.internal/directory", "https://user:secret@ca.internal/", "zerossl", ""])(
    "%p is not the directory of a CA",
    (given) => {
      expect(faults(["--acme-directory", given])).toContain(
        "Give letsencrypt, letsencrypt-staging, or the https URL",
      );
    },
  );

  test("every setting is read from its variable, and the HMAC key also from a file's, and never shown", () => {
    const env = {
      ...ADMIN,
      CHATGPT_API_DOMAIN: "a.example, b.example",
      CHATGPT_API_ACME_DIRECTORY: "letsencrypt-staging",
      CHATGPT_API_ACME_EMAIL: "admin@a.example",
      CHATGPT_API_ACME_EAB_KID: "kid-1",
      CHATGPT_API_ACME_EAB_KEY: "c2VjcmV0LXNlY3JldA",
      CHATGPT_API_ACME_HTTP_PORT: "8080",
    };
    const config = read([], env);
    expect(config).toMatchObject({
      domains: ["a.example", "b.example"],
      acmeDirectory: "https://acme-staging-v02.api.letsencrypt.org/directory",
      acmeEmail: "admin@a.example",
      acmeEabKid: "kid-1",
      acmeEabKey: "c2VjcmV0LXNlY3JldA",
      acmeHttpPort: 8080,
    });
    expect(describeSettings(config).acmeEabKey.value).toBe("***");
    expect(JSON.stringify(describeSettings(config))).not.toContain("c2VjcmV0");
  });

  test.each([
    ["--acme-email", "no address", "Give one email address."],
    ["--acme-eab-kid", "two words", "without blanks"],
    ["--acme-http-port", "0", "Give a port from 1 to 65535."],
  ])("%s refuses %p", (flag, value, words) => {
    expect(faults([flag, value])).toContain(words);
  });

  test("a wrong HMAC key is not repeated", () => {
    const told = faults(["--acme-eab-key", "not base64!"]);
    expect(told).toContain("in base64url");
    expect(told).not.toContain("base64!");
  });
});
