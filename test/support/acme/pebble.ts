import { onTestFinished } from "bun:test";
import { createSocket } from "node:dgram";
import { join } from "node:path";
import { makeCertificate } from "../certificate.ts";
import { freePort } from "../own-postgres.ts";
import { tempFolder } from "../store.ts";
import { until } from "../until.ts";

interface PebbleOptions {
  /** The port of this machine that stands for port 80 of every name. */
  httpPort: number;
  /** The only customer that may register accounts. */
  externalAccount?: { kid: string; key: string };
}

/**
 * Starts Pebble, the ACME server that the authors of Let's Encrypt made for tests. It refuses half of all nonces, and every
 * name leads to this machine. It is stopped when the test ends.
 */
export async function startPebble(path: string, { httpPort, externalAccount }: PebbleOptions) {
  const [port, managementPort, tlsPort] = [await freePort(), await freePort(), await freePort()];
  const { cert, key, ca } = await makeCertificate("localhost");
  const folder = tempFolder();
  const settings = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    ...{ certificate: cert, privateKey: key, httpPort, tlsPort },
    externalAccountBindingRequired: externalAccount !== undefined,
    ...(externalAccount && { externalAccountMACKeys: { [externalAccount.kid]: externalAccount.key } }),
  };
  const config = join(folder, "pebble.json");
  await Bun.write(config, JSON.stringify({ pebble: settings }));
  const dns = await startNameServer();
  const child = Bun.spawn([path, "-config", config, "-dnsserver", `127.0.0.1:${dns}`], {
    env: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "20" },
    stdout: "ignore",
    stderr: "ignore",
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  const tls = { ca: Bun.file(ca) };
  const read = (url: string) => fetch(url, { tls }).catch(() => undefined);
  const directory = `https://localhost:${port}/dir`;
  await until(async () => (await read(directory))?.ok === true);
  const root = await (await read(`https://localhost:${managementPort}/roots/0`))?.text();
  return { directory, trusted: ca, root: root ?? "" };
}

/** Answers every question for an IPv4 address with 127.0.0.1, and all others with nothing. Resolves with the port. */
async function startNameServer(): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (question, { port, address }) => {
    // The question has a header of 12 bytes, a name that ends with an empty label, a type and a class.
    const end = question.indexOf(0, 12) + 5;
    const isIpv4 = question.readUInt16BE(end - 4) === 1;
    const header = Buffer.from(question.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(isIpv4 ? 1 : 0, 6);
    header.fill(0, 8);
    const answer = isIpv4 ? Buffer.from("c00c000100010000003c00047f000001", "hex") : Buffer.alloc(0);
    socket.send(Buffer.concat([header, question.subarray(12, end), answer]), port, address);
  });
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => void socket.bind(0, "127.0.0.1", resolve));
  return socket.address().port;
}
