#!/usr/bin/env node
// Runs the executable in the package for this machine, as if it had been started itself: with the same arguments,
// standard streams, signals and exit code. The package has no other code.
const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const NAME = "chatgpt-api-server";
const PLATFORM = process.platform === "win32" ? "windows" : process.platform;
const FILE = process.platform === "win32" ? `${NAME}.exe` : NAME;

/** Whether the machine has musl in place of glibc. Some package managers install the packages for both. */
function hasMusl() {
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

/** Returns the names of the packages that may fit, the best one first. */
function candidates() {
  const target = `${NAME}-${PLATFORM}-${process.arch}`;
  if (process.platform !== "linux") return [target];
  return hasMusl() ? [`${target}-musl`, target] : [target, `${target}-musl`];
}

function findExecutable() {
  for (const name of candidates()) {
    try {
      return require.resolve(`${name}/bin/${FILE}`);
    } catch {
      // The package is not installed.
    }
  }
  const { optionalDependencies = {} } = require("../package.json");
  const [wanted] = candidates();
  const known = Object.keys(optionalDependencies);
  const reason = known.includes(wanted)
    ? `The package ${wanted} is not installed. Install again without --omit=optional (or --no-optional), and on this \
machine: node_modules cannot be copied from one kind of machine to another.`
    : `There is no executable for ${process.platform} on ${process.arch}. There is one for: ${known
        .map((name) => name.slice(NAME.length + 1))
        .join(", ")}.`;
  console.error(`${NAME}: ${reason}`);
  process.exit(1);
}

const child = spawn(findExecutable(), process.argv.slice(2), { stdio: "inherit" });
child.on("error", (error) => {
  console.error(`${NAME}: Cannot start the executable: ${error.message}`);
  process.exit(1);
});

// A terminal sends Ctrl-C to both processes; the executable counts a signal that comes twice at once as one.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
  try {
    process.on(signal, () => child.kill(signal));
  } catch {
    // Windows does not know it.
  }
}

child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Some signals do not end this process, such as one that is blocked.
  process.exitCode = 128 + (constants.signals[signal] ?? 0);
});
