import { expect, test } from "bun:test";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { CLIENTS } from "../../../../../src/cli/client/clients.ts";
import {
  type CodeStep,
  fileOn,
  type Guide,
  type System,
  TOKEN_PLACE,
  yamlText,
} from "../../../../../src/dashboard/pages/connect/guides/guide.ts";
import { GUIDES } from "../../../../../src/dashboard/pages/connect/guides/guides.ts";
import { powershellQuote } from "../../../../../src/shell-quote.ts";

const root = join(import.meta.dir, "../../../../..");
const TARGET = { url: "http://localhost:8080", model: "llama3.2", token: TOKEN_PLACE };
const SYSTEMS: readonly System[] = ["linux", "macos", "windows"];

const readPage = (path: string) => Bun.file(join(root, path)).text();
const codeSteps = ({ steps }: Guide) => steps.filter((step): step is CodeStep => "code" in step);
const blockOf = ({ language, code }: CodeStep) => `\`\`\`${language}\n${code(TARGET)}\`\`\`\n`;

/** Returns the part of a page that is about clients. */
async function clientsOf(page: string): Promise<string> {
  return /^## Clients\n[\s\S]*?(?=^## |$(?![\s\S]))/m.exec(await readPage(page))?.[0] ?? "";
}

/** Returns what the documentation lacks of a guide. */
function missingOf(guide: Guide, clients: string): string[] {
  const named = clients.split("\n\n").find((paragraph) => paragraph.startsWith(`**${guide.title}**`));
  if (named === undefined) return [`${guide.id}: its name in bold`];
  const addresses = guide.steps.flatMap((step) => {
    const address = "fields" in step ? step.fields[0]?.value(TARGET) : undefined;
    return address === undefined ? [] : [`\`${address.replace("localhost", "your.host")}\``];
  });
  return [
    ...codeSteps(guide)
      .map(blockOf)
      .filter((block) => !clients.includes(block)),
    ...addresses.filter((address) => !named.includes(address)),
  ];
}

test("the documentation has the lines of every client as the dashboard shows them", async () => {
  for (const guide of GUIDES) {
    const clients = await clientsOf(guide.page ?? "docs/openai.md");
    expect({ client: guide.id, missing: missingOf(guide, clients) }).toEqual({
      client: guide.id,
      missing: [],
    });
  }
});

test("the documentation has no lines of a client that the dashboard does not show", async () => {
  const known = new Set(GUIDES.flatMap(codeSteps).map(blockOf));
  for (const page of ["docs/openai.md", "docs/ollama-api.md"]) {
    const blocks = (await clientsOf(page)).match(/^```\w+\n[\s\S]*?^```\n/gm) ?? [];
    expect(blocks.length).toBeGreaterThan(0);
    const others = blocks.filter(
      (block) => !known.has(block) && !block.includes("chatgpt-api-server client"),
    );
    expect({ page, others }).toEqual({ page, others: [] });
  }
});

test("the files of the clients are where the command of the server looks for them", () => {
  const machines = {
    linux: { platform: "linux", home: "~", env: {} },
    macos: { platform: "darwin", home: "~", env: {} },
    windows: { platform: "win32", home: "%USERPROFILE%", env: { APPDATA: "%APPDATA%" } },
  } as const;
  for (const { command, steps } of GUIDES) {
    const places = command === undefined ? undefined : CLIENTS[command as keyof typeof CLIENTS].places;
    const [step] = steps;
    if (!places || !step || !("file" in step) || !step.file) continue;
    for (const system of SYSTEMS) expect(places(machines[system]).at(-1)).toBe(fileOn(step.file, system));
  }
  const commands = GUIDES.flatMap(({ command }) => command ?? []);
  expect(commands.sort()).toEqual(Object.keys(CLIENTS).sort());
});

const HOSTILE = [
  `it's "so" \\ $HOME \`id\` %PATH% #x`,
  "@cf/meta/llama: 3",
  "true",
  "qwen3:32b",
  "org/model-1.5:latest",
  "a: b",
  "- a",
  "~",
  "[x]",
  "#x",
  "1.5",
  "$(touch here); ’x‘",
];

const PARSERS: Record<string, (text: string) => unknown> = {
  json: JSON.parse,
  toml: Bun.TOML.parse,
  yaml: parseYaml,
};

test("names with any characters are kept by the files of the clients", () => {
  const files = GUIDES.flatMap(codeSteps).filter(({ language }) => language in PARSERS);
  expect(files.length).toBeGreaterThan(6);
  for (const model of HOSTILE) {
    for (const { language, code } of files) {
      const value = PARSERS[language]?.(code({ ...TARGET, model, token: `${model}-token` }));
      expect(JSON.stringify(value), language).toContain(JSON.stringify(model).slice(1, -1));
    }
    expect(parseYaml(yamlText(model))).toBe(model);
  }
});

test("names with any characters reach the server from the shell, and run nothing", async () => {
  const curl = GUIDES.find(({ id }) => id === "curl");
  const [step] = curl ? codeSteps(curl) : [];
  for (const model of HOSTILE) {
    const script = `curl() { printf '%s' "$7"; }\n${step?.code({ ...TARGET, model })}`;
    const child = Bun.spawn(["sh", "-c", script], { stdout: "pipe" });
    expect(JSON.parse(await child.stdout.text()).model).toBe(model);
  }
});

test("names with any characters stay one text in the environment of a shell, and run nothing", async () => {
  const openWebui = GUIDES.find(({ id }) => id === "openwebui");
  const [step] = openWebui ? codeSteps(openWebui) : [];
  for (const model of HOSTILE) {
    const script = `${step?.code({ ...TARGET, model, token: "t" })}printf '%s' "$DEFAULT_MODELS"`;
    const child = Bun.spawn(["sh", "-c", script], { stdout: "pipe" });
    expect(await child.stdout.text()).toBe(model);
  }
});

test("no quote that PowerShell knows ends a text in its lines", () => {
  for (const quote of ["'", "\u2018", "\u2019", "\u201a", "\u201b"])
    expect(powershellQuote(`a${quote}; calc; b`)).toBe(`'a${quote}${quote}; calc; b'`);
  const curl = GUIDES.find(({ id }) => id === "curl");
  const lines = (curl ? codeSteps(curl) : []).filter(({ language }) => language === "powershell");
  for (const { code } of lines) expect(code({ ...TARGET, model: "a’; calc" })).toContain("a’’; calc");
  expect(lines).toHaveLength(1);
});
