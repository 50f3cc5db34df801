import { createOwnPostgres, findPostgres, freePort, type OwnPostgres } from "../support/own-postgres.ts";
import { findProgram } from "../support/programs.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

/** A NATS server that may be killed at any time. */
export interface OwnNats {
  port: number;
  start(): Promise<void>;
  kill(): Promise<void>;
}

/** The database and NATS of a run, with a proxy to NATS for each node. */
export interface Services {
  postgres: OwnPostgres;
  database: string;
  nats: OwnNats;
  /** The proxies to NATS, by the names of the nodes. */
  proxies: ReadonlyMap<string, TcpProxy>;
  remove(): Promise<void>;
}

/** Returns what must be installed for a run; undefined if nothing is missing. */
export function whatIsMissing(): string | undefined {
  if (findPostgres() === undefined) return "install postgresql";
  if (findProgram("nats-server") === undefined) return "install nats-server";
  return undefined;
}

export async function startServices(nodeNames: readonly string[]): Promise<Services> {
  const programs = findPostgres();
  const program = findProgram("nats-server");
  if (!programs || !program) throw new Error(whatIsMissing());
  const { set, remove, ...postgres } = createOwnPostgres(programs);
  const nats = createNats(program, await freePort());
  await Promise.all([set(), nats.start()]);
  const proxies = await Promise.all(
    nodeNames.map(async (name) => [name, await openTcpProxy(nats.port)] as const),
  );
  return {
    postgres,
    database: await postgres.newDatabase(),
    nats,
    proxies: new Map(proxies),
    async remove() {
      for (const [, proxy] of proxies) proxy.close();
      await Promise.all([remove(), nats.kill()]);
    },
  };
}

function createNats(program: string, port: number): OwnNats {
  let child: Bun.Subprocess | undefined;
  return {
    port,
    async start() {
      child = Bun.spawn([program, "-a", "127.0.0.1", "-p", String(port)], {
        stdio: ["ignore", "ignore", "ignore"],
      });
      while (!(await isOpen(port))) await Bun.sleep(20);
    },
    async kill() {
      child?.kill("SIGKILL");
      await child?.exited;
    },
  };
}

async function isOpen(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
