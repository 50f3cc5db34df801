import type { Upstream } from "../upstream.ts";

/**
 * Returns the upstream so that it counts as down until it was recognized again, whenever it has been away. Another
 * program may have taken its port meanwhile: at worst the server that this agent works for, which would send the agent
 * its own requests. `isModelServer` looks who answers there, and never rejects.
 */
export function verifiedUpstream(
  upstream: Upstream,
  isModelServer: (signal: AbortSignal) => Promise<boolean>,
): Upstream {
  let isVerified = true;
  return {
    ...upstream,
    check: async (signal) => {
      const status = await upstream.check(signal);
      isVerified = "offer" in status && (isVerified || (await isModelServer(signal)));
      if ("problem" in status || isVerified) return status;
      return { problem: "another program answers at its address", unreachable: false };
    },
  };
}
