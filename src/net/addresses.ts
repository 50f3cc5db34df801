import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";

const MAPPED = "::ffff:";

/**
 * Returns an IP address in the form in which it is compared and logged: IPv6 in its shortest form and without
 * a zone, IPv4 also if it is mapped into IPv6 (`::ffff:127.0.0.1`). Returns undefined if the text is not an
 * address.
 */
export function readAddress(text: string): string | undefined {
  // The runtime writes IPv4 peers like this if it listens on every address.
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

/** Whether an address, as `readAddress` returns it, is one of this machine. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === "::1" || address.startsWith("127."));
}

/** Whether a host, as it stands in a URL or a setting, is this machine by a loopback address or `localhost`. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1|\[::1\])$/i.test(host);
}

/**
 * Returns the part of an address, as `readAddress` returns it, that identifies one subscriber: all of it, or
 * for IPv6 its /64, which is the least that a subscriber gets (RFC 6177).
 */
export function subscriberNetwork(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return `${[...before, ...Array(zeros).fill("0"), ...after].slice(0, 4).join(":")}::/64`;
}

/** Names for the networks in which proxies often are. */
const NETWORK_NAMES: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"],
};

/**
 * Returns a function that tells whether an address, as `readAddress` returns it, is in one of the networks. A
 * network is an address, `address/bits`, or a name of `NETWORK_NAMES`.
 */
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
