import { run } from "./cli/run.ts";
import { processTerminal } from "./cli/terminal.ts";

const terminal = processTerminal();
const exitCode = await run(process.argv.slice(2), terminal);
await terminal.flush();
process.exit(exitCode);
