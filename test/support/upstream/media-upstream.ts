import { launchUpstream, sharedByTests } from "./process.ts";

export { bytesOf } from "./media-process.ts";

/** A model server for audio, images, rankings and moderations, as a process of its own. */
export interface MediaUpstream {
  /** The base URL, which ends with `/v1`. Rankings are at the root. */
  url: string;
  stop(): Promise<void>;
}

async function launch(): Promise<MediaUpstream> {
  const { port, stop } = await launchUpstream("media-process.ts");
  return { url: `http://127.0.0.1:${port}/v1`, stop };
}

export const shareMediaUpstream = (): (() => MediaUpstream) => sharedByTests(launch);
