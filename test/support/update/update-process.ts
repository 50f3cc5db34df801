/**
 * Runs the command `update` of the sources as an ordinary user of Linux, even if root runs the tests. Its first argument is the
 * executable, the second the home folder, and the others are those of the command.
 */
import { processTerminal } from "../../../src/cli/terminal.ts";
import { updateCommand } from "../../../src/cli/update/command.ts";
import { CommandError } from "../../../src/errors.ts";

const [executable = "", home = "", ...args] = process.argv.slice(2);
const terminal = processTerminal();
const machine = { platform: "linux", isAdmin: false, uid: 1000, user: "ann", home };
let code = 0;
try {
  code = await updateCommand({ machine, command: [executable] })(args, terminal);
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  terminal.err(`${error.message}\n`);
  code = error.exitCode;
}
await terminal.flush();
process.exit(code);
