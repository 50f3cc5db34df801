import { expect, test } from "bun:test";
import { ownExecutable } from "../../src/update/managed.ts";

const textOf = (command: string[], exists: (path: string) => boolean = () => false) => {
  try {
    return ownExecutable({ command, exists });
  } catch (error) {
    return (error as Error).message;
  }
};

test.each<[string[], string]>([
  [["/usr/bin/bun", "/home/ann/code/src/main.ts"], "git pull, then start it again"],
  [
    ["/usr/lib/node_modules/chatgpt-api-server/bin/chatgpt-api-server"],
    "npm install --global chatgpt-api-server@latest",
  ],
  [
    ["/opt/homebrew/Cellar/chatgpt-api-server/0.1.0/bin/chatgpt-api-server"],
    "brew upgrade chatgpt-api-server",
  ],
  [["/home/linuxbrew/.linuxbrew/bin/chatgpt-api-server"], "brew upgrade chatgpt-api-server"],
  [["/nix/store/abc-chatgpt-api-server/bin/chatgpt-api-server"], "nix profile upgrade"],
  [["/usr/bin/chatgpt-api-server"], "the update command of your package manager"],
  [["/chatgpt-api-server"], "docker compose pull"],
])("a program that runs as %j is updated by what installed it", (command, update) => {
  expect(textOf(command)).toContain(update);
});

test.each([
  ["/var/lib/dpkg/info/chatgpt-api-server.list", "sudo apt-get install ./<the .deb"],
  ["/usr/bin/dnf", "sudo dnf install <the .rpm"],
])("a system with %s updates the program in its own way", (known, update) => {
  expect(textOf(["/usr/bin/chatgpt-api-server"], (path) => path === known)).toContain(update);
});

test.each([
  "/usr/local/bin/chatgpt-api-server",
  "/home/ann/bin/chatgpt-api-server",
  "/opt/chatgpt/chatgpt-api-server",
])("the program at %s updates itself", (path) => {
  expect(textOf([path])).toBe(path);
});
