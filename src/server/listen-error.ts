import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { CommandError } from "../errors.ts";
import { fileErrorText } from "../system-error.ts";

const PRIVILEGED_PORT_MAX = 1023;
/** The errors for an address that this machine does not have. */
const NOT_HERE = new Set(["EADDRNOTAVAIL", "EINVAL"]);
const ADVICE = "Give one of its own addresses to --host, or leave --host out to listen on all of them.";

/**
 * Rejects with a `CommandError` if the host is a name that nobody knows. The runtime reports such a name with the
 * code of whatever failed before, such as a port in use.
 */
export async function checkHost(host: string | undefined, port: number): Promise<void> {
  if (host === undefined || isIP(host) > 0) return;
  try {
    await lookup(host);
  } catch (cause) {
    const reason = `The host name is unknown on this machine. ${ADVICE}`;
    throw new CommandError(`Cannot listen on ${host}, port ${port}: ${reason}`, { cause });
  }
}

/** Returns an error whose message says in one line why the server cannot listen, and what to do. */
export function cannotListen(host: string | undefined, port: number, error: unknown): CommandError {
  const where = host === undefined ? `port ${port}` : `${host}, port ${port}`;
  return new CommandError(`Cannot listen on ${where}: ${reasonOf(host, port, error)}`, { cause: error });
}

function reasonOf(host: string | undefined, port: number, error: unknown): string {
  const { code = "" } = error as { code?: string };
  if (code === "EADDRINUSE")
    return "The port is in use. Stop the program that uses it, or choose another port.";
  if ((code === "EACCES" || code === "EPERM") && port <= PRIVILEGED_PORT_MAX)
    return "Ports below 1024 need root, or the capability CAP_NET_BIND_SERVICE, which `serve install` gives to a service. Or choose a port from 1024 on, and put a proxy in front.";
  if (code === "EACCES" || code === "EPERM") return "The system forbids it. Choose another port or address.";
  if (host !== undefined && NOT_HERE.has(code)) return `It is not an address of this machine. ${ADVICE}`;
  if (code === "EAFNOSUPPORT")
    return "This machine has no addresses of that kind. Give an IPv4 address to --host.";
  // A socket takes a file descriptor.
  return fileErrorText(error);
}
