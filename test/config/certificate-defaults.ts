/** The settings for certificates that the server gets by itself, when none is given. */
export const CERTIFICATE_DEFAULTS = {
  domains: undefined,
  acmeDirectory: "https://acme-v02.api.letsencrypt.org/directory",
  acmeEmail: undefined,
  acmeEabKid: undefined,
  acmeEabKey: undefined,
  acmeHttpPort: 80,
};
