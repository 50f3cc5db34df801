import { expect, test } from "bun:test";
import { startAgentProcess } from "../support/agent-process.ts";
import { describeWithCluster, startNodes } from "../support/cluster-nodes.ts";
import { addUser, call } from "../support/database-server.ts";
import type { Executable } from "../support/executable.ts";
import { AGENT_KEY } from "../support/keys.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { until } from "../support/until.ts";
import { bytesOf, shareMediaUpstream } from "../support/upstream/media-upstream.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

const upstream = shareMediaUpstream();
const hashOf = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** Callers come to `a`, and the agents are at `b`. */
async function start() {
  const [a, b] = (await startNodes(["a", "b"])) as [Executable, Executable];
  const { token } = await addUser(a);
  const headers = { authorization: `Bearer ${token}` };
  const hasModel = async (model: string) => {
    const { body } = await call(a, "/v1/models", token);
    return (body as unknown as { data: { id: string }[] }).data.some(({ id }) => id === model);
  };
  const upload = (file: Uint8Array<ArrayBuffer>, model: string, signal?: AbortSignal) => {
    const form = new FormData();
    form.set("file", new File([file], "a.wav"));
    form.set("model", model);
    const init = { method: "POST", headers, body: form, ...(signal && { signal }) };
    return fetch(`${a.url}/v1/audio/transcriptions`, init);
  };
  const speak = (input: string, signal?: AbortSignal) =>
    fetch(`${a.url}/v1/audio/speech`, {
      ...{ method: "POST", headers: { ...headers, "content-type": "application/json" } },
      body: JSON.stringify({ model: "tts-1", voice: "alloy", input }),
      ...(signal && { signal }),
    });
  return { a, b, token, hasModel, upload, speak };
}

const seed = chooseSeed();

describeWithCluster("audio and images across nodes", () => {
  test(`uploads and downloads of random sizes come whole from an agent of the other node (seed ${seed})`, async () => {
    const { a, b, token, hasModel, upload, speak } = await start();
    await startAgentProcess([b.url, "--upstream", upstream().url], { env: { AGENT_KEY } });
    await until(() => hasModel("whisper-1"));
    const random = createRandom(seed);
    const sizeOf = () => 1 + random.below(random.pick([10, 300_000, 5_000_000]));
    const oneUpload = async () => {
      const file = bytesOf(random.below(2 ** 30), sizeOf());
      const { text } = (await (await upload(file, "whisper-1")).json()) as { text: string };
      expect(text).toStartWith(`${hashOf(file)} whisper-1 `);
    };
    const oneDownload = async () => {
      const [from, length] = [1 + random.below(1_000), sizeOf()];
      const response = await speak(`${from} ${length}`);
      expect(hashOf(await response.bytes())).toBe(hashOf(bytesOf(from, length)));
    };
    const oneAbort = async () => {
      const leaving = new AbortController();
      setTimeout(() => leaving.abort(), random.below(60));
      const { signal } = leaving;
      const asked =
        random.below(2) === 0
          ? speak("1 3000000", signal)
          : upload(bytesOf(1, 3_000_000), "whisper-1", signal);
      await asked.then((response) => response.bytes()).catch(() => {});
    };
    const queue = Array.from({ length: 40 }, () => random.pick([oneUpload, oneDownload, oneAbort]));
    const work = async () => {
      for (let next = queue.pop(); next; next = queue.pop()) await next();
    };
    await Promise.all(Array.from({ length: 4 }, work));
    const busy = async (): Promise<unknown> => {
      const { body } = await call(b, "/ready", token);
      return (body as { slots_in_use?: number }).slots_in_use ?? 0;
    };
    await until(async () => (await busy()) === 0);
    const { body } = await call(a, "/api/requests?limit=1000", token);
    const { requests } = body as unknown as { requests: { outcome: string; input_bytes: number | null }[] };
    const answered = requests.filter(({ outcome }) => outcome === "ok");
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.every(({ input_bytes }) => input_bytes !== null && input_bytes > 0)).toBe(true);
  }, 120_000);

  test("an agent of the other node that is lost in the middle of a form is followed by another one", async () => {
    const { b, hasModel, upload } = await start();
    const hello = { ...V2_HELLO, endpoints: ["audio/transcriptions"], capabilities: ["bytes"] };
    const lost = await connectV2Agent(b.url, { hello, key: AGENT_KEY });
    await until(() => hasModel("m"));
    const file = bytesOf(5, 3_000_000);
    const asked = upload(file, "m");
    await lost.next("ask");
    await until(async () => lost.pieces.length > 3);
    const second = await startAgentProcess([b.url, "--upstream", upstream().url, "--model", "m"], {
      env: { AGENT_KEY },
    });
    lost.stop();
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { text: string }).text).toStartWith(`${hashOf(file)} m `);
    expect(answer.headers.get("x-tries")).toBe("2");
    await second.stop();
  }, 60_000);

  test("an upstream's error, and speech that breaks off, reach the caller of the other node as such", async () => {
    const { b, hasModel, speak } = await start();
    await startAgentProcess([b.url, "--upstream", upstream().url], { env: { AGENT_KEY } });
    await until(() => hasModel("tts-1"));
    // It may break off before the head of the answer has come.
    const broken = speak("0 400000").then((response) => response.bytes());
    expect(
      await broken.then(
        () => "whole",
        () => "broken",
      ),
    ).toBe("broken");
    const whole = await speak("3 200000");
    expect([whole.status, whole.headers.get("content-type")]).toEqual([200, "audio/mpeg"]);
    expect(hashOf(await whole.bytes())).toBe(hashOf(bytesOf(3, 200_000)));
  }, 60_000);
});
