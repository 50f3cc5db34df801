/**
 * Stands in for the executable where a test runs the commands of the documents. It runs the real one, which
 * `STAND_IN_FOR` names, with these differences: a server listens on any free port, an agent without an upstream has that of
 * `STAND_IN_UPSTREAM`, and both are ended as soon as they are up. The exit code is that of the real one.
 */
const SIGN = { serve: /"event":"listening"/, agent: /"event":"server_connected"/ };
const PORTS = new Set(["8080", "8443"]);

const program: string[] = JSON.parse(process.env["STAND_IN_FOR"] ?? "[]");
const args = process.argv.slice(2);
const { PORT, ...env } = process.env;

const [first] = args;
const kind = first === "agent" ? "agent" : first === undefined || PORTS.has(first) ? "serve" : undefined;
const hasUpstream = ["--upstream", "--echo", "--config"].some((flag) => args.includes(flag));
const changed = args.map((arg) => (kind === "serve" && PORTS.has(arg) ? "0" : arg));
if (kind === "agent" && !hasUpstream) changed.push("--upstream", env["STAND_IN_UPSTREAM"] ?? "");

const child = Bun.spawn([...program, ...changed], {
  env: { ...env, ...(PORT && { PORT: "0" }) },
  stdin: "inherit",
  stdout: kind === undefined ? "inherit" : "pipe",
  stderr: "inherit",
});
if (kind !== undefined && child.stdout) {
  const signs = hasUpstream ? [SIGN[kind], SIGN.agent] : [SIGN[kind]];
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes, { stream: true });
    if (signs.every((sign) => sign.test(text))) child.kill("SIGTERM");
  }
  if (!signs.every((sign) => sign.test(text))) {
    process.stderr.write(`${changed.join(" ")} ended without ${signs}:\n${text}`);
    process.exit(1);
  }
}
process.exit(await child.exited);
