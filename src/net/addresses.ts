import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";

const MAPPED = "::ffff:";

/**
 * An IP address as it is compared and logged: IPv6 in its shortest form, IPv4 as such where it is mapped into
 * IPv6 (`::ffff:127.0.0.1`), without a zone. Undefined for what is no address.
 */
export function readAddress(text: string): string | undefined {
  // As the runtime writes IPv4 peers where it listens on every address.
  const mapped = text.startsWith(MAPPED) ? text.slice(MAPPED.length) : undefined;
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  const bare = text.replace(/%.*$/s, "");
  const version = isIP(bare);
  if (version !== 6) return version === 4 ? bare : undefined;
  const short = URL.parse(`http://[${bare}]`)?.hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short ?? "") ?? [];
  if (high === undefined || low === undefined) return short;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join(".");
}

/** This machine, as `readAddress` gives it. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === "::1" || address.startsWith("127."));
}

/**
 * What one party is likely to hold, of an address as `readAddress` gives it: the address itself, or for IPv6 the
 * /64, which is the least that a single subscriber is given (RFC 6177).
 */
export function partyOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return `${[...before, ...Array(zeros).fill("0"), ...after].slice(0, 4).join(":")}::/64`;
}

/** Names for networks that a proxy is often in. */
export const NETWORK_NAMES: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"],
};

/** Whether an address, as `readAddress` gives it, is in one of the networks: addresses, `address/bits`, or names of `NETWORK_NAMES`. */
export function createNetworks(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks.flatMap((name) => NETWORK_NAMES[name] ?? [name])) {
    const [address = "", bits] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
