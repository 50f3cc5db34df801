import { expect, onTestFinished, test } from "bun:test";
import { connectSource } from "../support/byte-source.ts";
import { startTestServer } from "../support/server.ts";
import { HANG_MS } from "../support/until.ts";

test("a connection that is silent, or whose request head trickles in, is ended", async () => {
  const { url } = await startTestServer();
  const limit = AbortSignal.timeout(HANG_MS);
  const ended = ["", "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: "].map(async (first) => {
    const source = connectSource(url);
    onTestFinished(() => {
      source.socket.destroy();
    });
    source.write(first);
    const trickle = setInterval(() => first && source.write("a"), 500);
    limit.addEventListener("abort", () => source.socket.destroy());
    await source.ended;
    clearInterval(trickle);
    return limit.aborted ? "still open" : "ended";
  });
  expect(await Promise.all(ended)).toEqual(["ended", "ended"]);
});
