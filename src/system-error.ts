/** The meanings of the system's errors for a file or a folder, and what to do, by their codes. */
const FILE_MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: "It does not exist. Check the path.",
  EISDIR: "It is a folder. Move it away, or choose another path.",
  ENOTDIR: "A part of its path is a file. Choose another folder.",
  EEXIST: "A part of its path is a file. Choose another folder.",
  EACCES: "No permission. Check the owner and mode of the file and its folder.",
  EPERM: "No permission. Check the owner and mode of the file and its folder.",
  EROFS: "The disk is read-only. Choose another folder.",
  ENOSPC: "The disk is full.",
  EDQUOT: "The disk quota is used up.",
  ELOOP: "It is a symbolic link, which is not followed here. Put the file itself in its place.",
  ENAMETOOLONG: "Its path is too long. Choose a shorter one.",
  EMFILE: "Too many files are open. Raise the limit (ulimit -n), or stop what holds them open.",
  ENFILE: "Too many files are open on this machine. Stop what holds them open.",
  EIO: "The disk cannot be read or written. Check the disk.",
  EBUSY: "Another program is using it. Stop that program first.",
  ETXTBSY: "Another program is using it. Stop that program first.",
  EFBIG: "The file system does not take files of this size.",
};

/**
 * Returns, in one line, why a file could not be used, and what to do. For an error that is not known it returns
 * the text of the error, which may have the path, or `otherwise`.
 */
export function fileErrorText(error: unknown, otherwise?: string): string {
  return FILE_MEANINGS[codeOf(error)] ?? otherwise ?? textOf(error);
}

/** A failure to connect, in words. */
export interface ConnectErrorTexts {
  /** Completes "the connection failed: …", without addresses, as callers may see it. */
  reason: string;
  /** Follows the name of the other side: "cannot be reached (…)", with what its operator can do. */
  words: string;
}

const UNTRUSTED: ConnectErrorTexts = {
  reason: "its certificate is not trusted",
  words:
    "has a certificate that is not trusted here; to trust it, name its PEM file, or that of its authority, in NODE_EXTRA_CA_CERTS",
};
const NO_TLS: ConnectErrorTexts = {
  reason: "it does not speak TLS",
  words: "does not speak TLS on this port; use http:// in its address, or its TLS port",
};
const UNKNOWN_HOST = unreachable("unknown host");
const NO_ROUTE = unreachable("no route to the host");
const RESET = unreachable("connection reset");
const REFUSED = unreachable("connection refused");
const TIMED_OUT = unreachable("no response in time");
const WRONG_ENCODING: ConnectErrorTexts = {
  reason: "its answer is not compressed as its Content-Encoding says",
  words: "sends answers that are not compressed as their Content-Encoding says",
};
const NO_HTTP = unreachable("it does not answer in HTTP");
const FORBIDDEN = unreachable("this system forbids the connection");
const NO_FILES = unreachable("too many files are open here; raise the limit, ulimit -n");

/** The meanings of errors of connections, by their codes. */
const CONNECT_MEANINGS: Readonly<Record<string, ConnectErrorTexts>> = {
  ...{ ECONNREFUSED: REFUSED, ConnectionRefused: REFUSED, FailedToOpenSocket: REFUSED },
  ...{ ECONNRESET: RESET, EPIPE: RESET, ConnectionClosed: RESET },
  ...{ ENOTFOUND: UNKNOWN_HOST, EAI_AGAIN: UNKNOWN_HOST, EAI_NONAME: UNKNOWN_HOST },
  ...{ EHOSTUNREACH: NO_ROUTE, ENETUNREACH: NO_ROUTE, ENETDOWN: NO_ROUTE, EADDRNOTAVAIL: NO_ROUTE },
  ...{ ETIMEDOUT: TIMED_OUT, EACCES: FORBIDDEN, EPERM: FORBIDDEN, EMFILE: NO_FILES, ENFILE: NO_FILES },
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  CERT_HAS_EXPIRED: { reason: "its certificate has expired", words: "has a certificate that has expired" },
  CERT_NOT_YET_VALID: {
    reason: "its certificate is not valid yet",
    words: "has a certificate that is not valid yet; check the clock of this machine",
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    reason: "its certificate is for another host name",
    words: "has a certificate for another host name; use a name that the certificate has",
  },
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ...{ ZlibError: WRONG_ENCODING, BrotliDecompressionError: WRONG_ENCODING },
  ...{ ZstdDecompressionError: WRONG_ENCODING, UnrequestedUpgrade: NO_HTTP },
  ...{ Malformed_HTTP_Response: NO_HTTP, InvalidHTTPResponse: NO_HTTP },
  ...{ InvalidContentLength: NO_HTTP, UnsupportedTransferEncoding: NO_HTTP },
  ERR_PROXY_TUNNEL: {
    reason: "the HTTP proxy refuses the connection",
    words:
      "cannot be reached (the HTTP proxy refuses the connection); check HTTPS_PROXY, or name the host in NO_PROXY",
  },
};

/** Returns why a connection failed. An error that is not known has its code. */
export function connectErrorTexts(error: unknown): ConnectErrorTexts {
  const { name } = (error ?? {}) as { name?: unknown };
  if (name === "TimeoutError") return TIMED_OUT;
  const code = codeOf(error) || (typeof name === "string" ? name : "unknown error");
  return CONNECT_MEANINGS[code] ?? unreachable(code);
}

function unreachable(reason: string): ConnectErrorTexts {
  return { reason, words: `cannot be reached (${reason})` };
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ");
}
