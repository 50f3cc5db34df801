import { onTestFinished } from "bun:test";
import { HANG_MS } from "../until.ts";

/** A program at a host. */
export interface HostProcess {
  /** Resolves with the match once its output has it. Rejects if the program ends without it. */
  output(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Resolves with everything that it has printed, once it has ended with exit code 0. Rejects otherwise. */
  finished(): Promise<string>;
}

/** Starts a command with this environment and no other, until the test ends. */
export function startAtHost(
  command: readonly string[],
  env: Record<string, string>,
  cwd: string,
): HostProcess {
  const child = Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  let text = "";
  let isOver = false;
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) text += decoder.decode(bytes, { stream: true });
  };
  const exited = Promise.all([child.exited, read(child.stdout), read(child.stderr)]).then(([code]) => {
    isOver = true;
    return code;
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return {
    async output(pattern) {
      const limit = performance.now() + HANG_MS;
      for (;;) {
        const isLast = isOver || performance.now() > limit;
        const match = pattern.exec(text);
        if (match) return match;
        if (isLast)
          throw new Error(`${command.join(" ")}: no ${pattern}${isOver ? " before it ended" : ""}:\n${text}`);
        await Bun.sleep(10);
      }
    },
    async finished() {
      const code = await exited;
      if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${text}`);
      return text;
    },
  };
}
