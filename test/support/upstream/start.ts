import { HANG_MS } from "../until.ts";
import { launchUpstream, sharedByTests, type UpstreamProcess, untilTestEnds } from "./process.ts";

export interface RequestCounts {
  /** The number of requests that have not ended. */
  open: number;
  /** The number of requests since the start, or since `reset` with those that were open then. */
  started: number;
  /** The number of those that the other side cut off. */
  aborted: number;
}

/** Our upstream with faults, as a process of its own. `BEHAVIOURS` has its models. */
export interface FaultUpstream {
  /** The base URL, which ends with `/v1`. */
  url: string;
  port: number;
  pid: number;
  open(): Promise<RequestCounts>;
  /** Resolves once `isSo` accepts the counts. */
  openUntil(isSo: (counts: RequestCounts) => boolean): Promise<RequestCounts>;
  /** Resets the counts, including those of `fails-times`. */
  reset(): Promise<void>;
  kill: UpstreamProcess["kill"];
  exited: Promise<void>;
  stop(): Promise<void>;
}

interface FaultUpstreamOptions {
  /** The port of a killed upstream, to replace it. Default: any free port. */
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

/** Starts one for the calling test. */
export const startFaultUpstream = (options?: FaultUpstreamOptions): Promise<FaultUpstream> =>
  untilTestEnds(() => launch(options));

/** Starts one for all tests of the calling file or `describe` block. */
export const shareFaultUpstream = (): (() => FaultUpstream) => sharedByTests(launch);
