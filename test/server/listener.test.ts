import { describe, expect, onTestFinished, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { CommandError } from "../../src/errors.ts";
import { createLog } from "../../src/log/log.ts";
import { type Listener, listen } from "../../src/server/listener.ts";
import { makeCertificate, type TestCertificate } from "../support/certificate.ts";
import { describeWith } from "../support/programs.ts";
import { failureOf, tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";

interface Started {
  listener: Listener;
  logged: () => string;
  /** Answers the requests for `/held`. */
  release: () => void;
}

function start(certificate: { cert: string; key: string } | undefined, port = 0): Started {
  let logged = "";
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const log = createLog({
    write: (line) => {
      logged += line;
    },
  });
  const listener = listen<undefined>({
    port,
    host: "127.0.0.1",
    idleS: 60,
    certificate,
    async fetch(request, server) {
      if (server.upgrade(request, { data: undefined })) return new Response(null);
      if (!request.url.endsWith("/held")) return new Response("hello");
      await released;
      return new Response("released");
    },
    websocket: {
      open: (ws) => void ws.subscribe("all"),
      message: (ws, message) => void ws.send(`echo ${message}`),
    },
    onFault: () => new Response(null, { status: 500 }),
    log,
  });
  onTestFinished(() => listener.stop(true));
  return { listener, logged: () => logged, release };
}

/** Returns the name in the certificate that a new connection gets, or the code of the error. */
function shownName(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Writes a certificate to files that can be replaced by another one. */
function replaceable(first: TestCertificate) {
  const folder = tempFolder();
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const put = ({ cert, key }: { cert: string; key: string }) => {
    copyFileSync(cert, files.cert);
    copyFileSync(key, files.key);
  };
  put(first);
  return { files, put };
}

describe("TLS", () => {
  test("a client that trusts the authority gets an answer, and one without TLS gets none", async () => {
    const certificate = await makeCertificate("one.example");
    const { listener } = start(certificate);
    const tls = { ca: Bun.file(certificate.ca) };
    expect(await (await fetch(`https://localhost:${listener.port}/`, { tls })).text()).toBe("hello");
    const answer = await new Promise<string>((resolve) => {
      let got = "";
      const socket = connectPlain(listener.port, "127.0.0.1", () =>
        socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      );
      socket.on("data", (data) => {
        got += data;
      });
      socket.on("close", () => resolve(got));
    });
    expect(answer).not.toContain("hello");
  });

  test("new connections get a new certificate, and open ones continue", async () => {
    const { files, put } = replaceable(await makeCertificate("one.example"));
    const { listener, logged } = start(files);
    expect(await shownName(listener.port)).toBe("one.example");
    const socket = new WebSocket(`wss://127.0.0.1:${listener.port}/`, { tls: { rejectUnauthorized: false } });
    const messages: string[] = [];
    let wake = () => {};
    socket.onmessage = ({ data }) => {
      messages.push(String(data));
      wake();
    };
    const next = () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      });
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });

    put(await makeCertificate("two.example"));
    listener.reloadCertificate();
    for (let count = 0; count < 20; count++) expect(await shownName(listener.port)).toBe("two.example");
    const echoed = next();
    socket.send("still here");
    await echoed;
    const published = next();
    listener.publish("all", "to everybody");
    await published;
    expect(messages).toEqual(["echo still here", "to everybody"]);
    expect(listener.pendingWebSockets).toBe(1);
    expect(logged()).toContain("DNS:two.example");
    socket.close();
    await listener.stop();
  });

  test("running requests are answered while certificates change, and a connection cut by a change opens at the second try", async () => {
    const [one, two] = [await makeCertificate("one.example"), await makeCertificate("two.example")];
    const { files, put } = replaceable(one);
    const { listener, release } = start(files);
    const running = Array.from({ length: 16 }, async () => {
      const tls = { rejectUnauthorized: false };
      return (await fetch(`https://127.0.0.1:${listener.port}/held`, { tls })).text();
    });
    await until(() => listener.pendingRequests === running.length);
    const names = new Set<string>();
    let connections = 0;
    let changing = true;
    const hammer = async () => {
      while (changing) {
        const name = await shownName(listener.port);
        names.add(name.includes("example") ? name : await shownName(listener.port));
        connections++;
      }
    };
    const hammers = [hammer(), hammer()];
    for (let round = 0; round < 10; round++) {
      put(round % 2 === 0 ? two : one);
      listener.reloadCertificate();
      const before = connections;
      await until(() => connections > before + 2);
    }
    changing = false;
    await Promise.all(hammers);
    expect([...names].sort()).toEqual(["one.example", "two.example"]);
    release();
    expect(await Promise.all(running)).toEqual(running.map(() => "released"));
  });

  test("files that cannot be used change nothing, and the log names the file and the reason", async () => {
    const { files, put } = replaceable(await makeCertificate("one.example"));
    const { listener, logged } = start(files);
    listener.reloadCertificate();
    expect(logged()).toContain("certificate_unchanged");
    put({ cert: (await makeCertificate("two.example")).cert, key: files.key });
    listener.reloadCertificate();
    expect(logged()).toContain("does not belong to the certificate in");
    expect(await shownName(listener.port)).toBe("one.example");
  });

  test("files that cannot be used end the start with one line", async () => {
    const good = await makeCertificate("one.example");
    const other = await makeCertificate("two.example");
    const folder = tempFolder();
    const nonsense = join(folder, "nonsense.pem");
    writeFileSync(nonsense, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    const faults: [{ cert: string; key: string }, string][] = [
      [{ cert: join(folder, "none.pem"), key: good.key }, "Cannot read the certificate file"],
      [{ cert: good.cert, key: join(folder, "none.pem") }, "Cannot read the key file"],
      [{ cert: nonsense, key: good.key }, "does not contain a certificate in PEM form"],
      [{ cert: good.cert, key: nonsense }, "does not contain an unencrypted key in PEM form"],
      [{ cert: good.cert, key: other.key }, "does not belong to the certificate"],
    ];
    for (const [files, expected] of faults) {
      const failure = await failureOf(async () => start(files));
      expect(failure).toBeInstanceOf(CommandError);
      const { message, exitCode } = failure as CommandError;
      expect([message.includes(expected), message.includes("\n"), exitCode]).toEqual([true, false, 1]);
    }
  });

  test("a port that another server uses is refused, although certificates need it shared", async () => {
    const certificate = await makeCertificate("one.example");
    const { listener } = start(certificate);
    const failure = await failureOf(async () => start(certificate, listener.port));
    expect((failure as CommandError).message).toContain("The port is in use");
  });
});

test("a port that another server uses is refused without certificates too", async () => {
  const { listener } = start(undefined);
  const failure = await failureOf(async () => start(undefined, listener.port));
  expect((failure as CommandError).message).toContain("The port is in use");
});

describeWith("openssl", "the cipher suites", (openssl) => {
  test("TLS 1.2 takes only cipher suites with forward secrecy and authenticated encryption", async () => {
    const { listener } = start(await makeCertificate("one.example"));
    const takes = async (...choice: string[]) => {
      const to = ["-connect", `127.0.0.1:${listener.port}`, ...choice];
      const child = Bun.spawn([openssl, "s_client", ...to], {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "ignore",
      });
      return /Cipher is (?!\(NONE\))/.test(await child.stdout.text());
    };
    const tls12 = (cipher: string) => takes("-tls1_2", "-cipher", `${cipher}:@SECLEVEL=0`);
    for (const weak of ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES256-SHA"])
      expect([weak, await tls12(weak)]).toEqual([weak, false]);
    const strong = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"];
    const taken = await Promise.all(
      ["ECDSA", "RSA"].flatMap((key) => strong.map((cipher) => tls12(`ECDHE-${key}-${cipher}`))),
    );
    // The certificate has a key of one of the two kinds.
    expect(taken.filter(Boolean)).toHaveLength(strong.length);
    expect(await takes("-tls1_3")).toBe(true);
    expect(await takes("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")).toBe(false);
  });
});
