import { afterAll, beforeAll, describe, onTestFinished, test } from "bun:test";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { tempFolder } from "./store.ts";
import { until } from "./until.ts";

/** Debian keeps servers where an ordinary user does not look. */
const PROGRAM = Bun.which("nats-server", { PATH: `${process.env["PATH"]}:/usr/sbin` });

/** A NATS server that only the tests of one file use, so that they may do anything to it. */
export interface OwnNats {
  readonly port: number;
  /** Starts it, on the same port each time. */
  start(...args: string[]): Promise<void>;
  /** Starts it again with this configuration, until the test ends. */
  startWith(config: string): Promise<void>;
  /** Replaces the configuration of `startWith` while it runs. */
  reload(config: string): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Suspends it: connections stay open, and nothing is answered. */
  suspend(): void;
  resume(): void;
}

/** Defines tests with a server of their own. They are skipped with one line where NATS is not installed. */
export function describeWithOwnNats(title: string, tests: (nats: OwnNats) => void): void {
  if (PROGRAM === null) return void test.skip(`${title} (skipped: install nats-server)`, () => {});
  const nats = createOwnNats(PROGRAM);
  describe(title, () => {
    beforeAll(() => nats.start());
    afterAll(() => nats.kill());
    tests(nats);
  });
}

/** Defines tests with servers of their own that form one cluster of NATS, as `describeWithOwnNats` does with one. */
export function describeWithNatsCluster(
  title: string,
  count: number,
  tests: (servers: readonly OwnNats[]) => void,
): void {
  if (PROGRAM === null) return void test.skip(`${title} (skipped: install nats-server)`, () => {});
  const servers = Array.from({ length: count }, () => createOwnNats(PROGRAM));
  describe(title, () => {
    beforeAll(async () => {
      const routes: string[] = [];
      for (const _ of servers) routes.push(`nats://127.0.0.1:${await freePort()}`);
      for (const [at, server] of servers.entries())
        await server.start("-cluster_name", "test", "-cluster", routes[at] ?? "", "-routes", routes.join());
    });
    afterAll(() => Promise.all(servers.map((server) => server.kill())));
    tests(servers);
  });
}

function createOwnNats(program: string): OwnNats {
  let port = 0;
  let running: Bun.Subprocess | undefined;
  let configPath = "";
  const start = async (...args: string[]) => {
    port ||= await freePort();
    const command = [program, "-a", "127.0.0.1", "-p", `${port}`, ...args];
    running = Bun.spawn(command, { stdout: "ignore", stderr: "ignore" });
    await until(() => accepts(port));
  };
  const kill = async () => {
    running?.kill("SIGCONT");
    running?.kill("SIGKILL");
    await running?.exited;
  };
  return {
    get port() {
      return port;
    },
    start,
    kill,
    async startWith(config) {
      configPath = join(tempFolder(), "nats.conf");
      await Bun.write(configPath, config);
      onTestFinished(async () => {
        await kill();
        await start();
      });
      await kill();
      await start("-c", configPath);
    },
    async reload(config) {
      await Bun.write(configPath, config);
      running?.kill("SIGHUP");
    },
    suspend: () => running?.kill("SIGSTOP"),
    resume: () => running?.kill("SIGCONT"),
  };
}

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as { port: number };
    server.close(() => resolve(port));
  });
  return promise;
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => {
    resolve(true);
    socket.destroy();
  });
  socket.on("error", () => resolve(false));
  return promise;
}
