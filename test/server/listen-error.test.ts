import { expect, test } from "bun:test";
import { cannotListen } from "../../src/server/listen-error.ts";
import { MAIN } from "../cli/terminal.ts";
import { runExecutable } from "../support/executable.ts";

const withCode = (code: string) => Object.assign(new Error("a\nb"), { code });

test.each<[string, string | undefined, number, string]>([
  ["EADDRINUSE", undefined, 8080, "port 8080: The port is in use. "],
  ["EACCES", undefined, 80, "port 80: Ports below 1024 need root"],
  ["EACCES", undefined, 8080, "port 8080: The system forbids it. "],
  ["EADDRNOTAVAIL", "10.9.9.9", 80, "10.9.9.9, port 80: It is not an address of this machine. "],
  ["EINVAL", "fe80::1", 80, "fe80::1, port 80: It is not an address of this machine. "],
  ["EMFILE", undefined, 8080, "port 8080: Too many files are open. "],
  ["ENEW", undefined, 8080, "port 8080: a b"],
])("the reason for %s on %p is in words", (code, host, port, text) => {
  expect(cannotListen(host, port, withCode(code)).message).toStartWith(`Cannot listen on ${text}`);
});

test.each([
  ["10.9.9.9", "It is not an address of this machine."],
  ["no-such-host.invalid", "The host name is unknown on this machine."],
  ["localhosty", "The host name is unknown on this machine."],
])("a server on --host %s ends with one line that says what to do", async (host, text) => {
  const args = [MAIN, "0", "admin-key-0123456789", "--host", host];
  const { code, stderr } = await runExecutable(args, { path: process.execPath });
  expect(code).toBe(1);
  expect(stderr).toBe(
    `chatgpt-api-server: Cannot listen on ${host}, port 0: ${text} Give one of its own addresses to --host, or leave --host out to listen on all of them.\n`,
  );
});
