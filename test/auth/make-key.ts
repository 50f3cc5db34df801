import { readOrCreateKey } from "../../src/auth/key-file.ts";

/** Run as a process of its own: reads or makes the key at the given time, and prints it. */
const [path = "", at = "0"] = process.argv.slice(2);
await Bun.sleep(Math.max(0, Number(at) - Date.now()));
process.stdout.write(readOrCreateKey(path));
