import { processIo } from "./cli/io.ts";
import { run } from "./cli/run.ts";

const io = processIo();
const exitCode = await run(process.argv.slice(2), io);
await io.flush();
process.exit(exitCode);
