import { HANG_MS } from "../until.ts";
import { launchUpstream, sharedByTests, type UpstreamProcess, untilTestEnds } from "./process.ts";

export interface RequestCounts {
  /** Requests for an answer that are not over yet. */
  open: number;
  /** All since the start, or since `reset`, those that were open then included. */
  started: number;
  /** Of them, those that the other side cut off. */
  aborted: number;
}

/** Our upstream with faults, as a process of its own; `BEHAVIOURS` has its models. */
export interface FaultUpstream {
  /** The base URL, `/v1` included. */
  url: string;
  port: number;
  pid: number;
  open(): Promise<RequestCounts>;
  /** Resolves once the counts are so; rejects with the last ones if they never are. */
  openUntil(isSo: (counts: RequestCounts) => boolean): Promise<RequestCounts>;
  /** Begins the counts anew, those of `fails-times` too. */
  reset(): Promise<void>;
  kill: UpstreamProcess["kill"];
  exited: Promise<void>;
  stop(): Promise<void>;
}

interface FaultUpstreamOptions {
  /** To take the place of one that was killed. Default: any free one. */
  port?: number;
}

async function launch(options: FaultUpstreamOptions = {}): Promise<FaultUpstream> {
  const { port, ...rest } = await launchUpstream("fault-upstream.ts", options.port);
  const base = `http://127.0.0.1:${port}`;
  const open = async () => (await (await fetch(`${base}/open`)).json()) as RequestCounts;
  const openUntil = async (isSo: (counts: RequestCounts) => boolean) => {
    const end = performance.now() + HANG_MS;
    for (;;) {
      const counts = await open();
      if (isSo(counts)) return counts;
      if (performance.now() > end) throw new Error(`the counts stayed at ${JSON.stringify(counts)}`);
      await Bun.sleep(10);
    }
  };
  const reset = async () => {
    await fetch(`${base}/reset`, { method: "POST" });
  };
  return { url: `${base}/v1`, port, open, openUntil, reset, ...rest };
}

/** For the test that calls it; ends with it. */
export const startFaultUpstream = (options?: FaultUpstreamOptions): Promise<FaultUpstream> =>
  untilTestEnds(() => launch(options));

/** For all tests of the file, or of the `describe`, in whose body it is called. */
export const shareFaultUpstream = (): (() => FaultUpstream) => sharedByTests(launch);
