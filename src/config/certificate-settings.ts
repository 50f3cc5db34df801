import { domainToASCII } from "node:url";
import { z } from "zod";
import { type Kind, list, parsed, whole } from "./kinds.ts";
import { optional, setting } from "./setting.ts";

/** A certificate for more names is refused by Let's Encrypt. */
const DOMAINS_MAX = 100;
const DOMAIN =
  /^(?=.{1,253}$)(?!(.*\.)?\d+$)(?!localhost$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const domains: Kind<readonly string[]> = {
  value: "<name>",
  schema: parsed((text) => {
    const names = [...new Set(list(text).map((name) => domainToASCII(name.replace(/\.$/, ""))))];
    const areValid = names.length <= DOMAINS_MAX && names.every((name) => DOMAIN.test(name));
    return areValid ? Object.freeze(names) : undefined;
  }, `Give at most ${DOMAINS_MAX} host names that lead to this machine, such as chat.example.com, without a port. A name with * cannot be checked over HTTP: for it, give --tls-cert.`),
  show: (names) => names.join(","),
};

/** The directories of Let's Encrypt, by the names that the setting takes for them. */
const DIRECTORIES: Readonly<Record<string, string>> = {
  letsencrypt: "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
};

const directory: Kind<string> = {
  value: "<URL>",
  schema: parsed((text) => {
    const url = URL.parse(DIRECTORIES[text] ?? text);
    const isPlain = url?.protocol === "https:" && !url.username && !url.password && !url.hash;
    return isPlain && url.href.length <= 1024 ? url.href : undefined;
  }, "Give letsencrypt, letsencrypt-staging, or the https URL of a CA's ACME directory."),
  show: (url) => Object.keys(DIRECTORIES).find((name) => DIRECTORIES[name] === url) ?? url,
};

const email: Kind<string> = {
  value: "<email>",
  schema: z
    .string()
    .max(254)
    .regex(/^[\w.!#$%&'*+/=^`{|}~-]{1,64}@[a-z0-9.-]{1,253}$/i, "Give one email address."),
};

const eabKeyId: Kind<string> = {
  value: "<id>",
  schema: z.string().regex(/^[\x21-\x7e]{1,256}$/, "Give the key ID as the CA shows it, without blanks."),
};

const eabKey: Kind<string> = {
  value: "<key>",
  schema: z.string().regex(/^[\w-]{8,1024}={0,2}$/, "Give the HMAC key as the CA shows it, in base64url."),
};

/** The settings of a server that gets its certificate by itself. */
export const CERTIFICATE = {
  domains: optional(
    "domain",
    "none",
    domains,
    "Host name of this server, for which it gets a certificate. The CA's terms are accepted.",
    { many: "," },
  ),
  acmeDirectory: setting(
    "acme-directory",
    "letsencrypt",
    directory,
    "CA for --domain: letsencrypt, letsencrypt-staging, or the URL of an ACME directory.",
  ),
  acmeEmail: optional("acme-email", "none", email, "Email address that the CA may write to."),
  acmeEabKid: optional("acme-eab-kid", "none", eabKeyId, "Key ID of the customer's account at the CA."),
  acmeEabKey: optional("acme-eab-key", "none", eabKey, "HMAC key of the customer's account at the CA.", {
    secret: true,
  }),
  acmeHttpPort: setting(
    "acme-http-port",
    "80",
    whole("port", 1, 65_535),
    "Port for the CA's checks. It redirects browsers to https. The CA calls port 80.",
  ),
};
