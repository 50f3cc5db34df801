import { isIPv6 } from "node:net";

/** The part of the result of `os.networkInterfaces` that is used here. */
type Interfaces = Record<string, readonly { address: string; internal: boolean }[] | undefined>;

/** Returns the addresses of a server that listens on `host`, loopback first. Link-local ones are left out. */
export function listenAddresses(host: string | undefined, interfaces: Interfaces): string[] {
  if (host !== undefined && host !== "0.0.0.0" && host !== "::") return [host];
  const others = Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .filter(({ address, internal }) => !internal && !address.startsWith("fe80:"))
    .map(({ address }) => address)
    .filter((address) => host !== "0.0.0.0" || !isIPv6(address));
  const ipv4First = others.sort((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)));
  return ["127.0.0.1", ...ipv4First];
}
