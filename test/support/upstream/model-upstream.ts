import { launchUpstream, sharedByTests, untilTestEnds } from "./process.ts";

/**
 * A correct model server, made by others (`@copilotkit/aimock`), as a process of its own. Its answers follow
 * from the request: see `answerAsModel`.
 */
export interface ModelUpstream {
  /**
   * The base URL, which ends with `/v1`. Offers `chat/completions`, `responses`, `messages` and `embeddings`.
   */
  url: string;
  pid: number;
  kill(signal?: NodeJS.Signals): void;
  exited: Promise<void>;
  stop(): Promise<void>;
}

async function launch(): Promise<ModelUpstream> {
  const { port, ...rest } = await launchUpstream("model-process.ts");
  return { url: `http://127.0.0.1:${port}/v1`, ...rest };
}

export const startModelUpstream = (): Promise<ModelUpstream> => untilTestEnds(launch);

export const shareModelUpstream = (): (() => ModelUpstream) => sharedByTests(launch);
