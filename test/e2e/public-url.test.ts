import { expect, test } from "bun:test";
import { inBrowser, shows } from "../support/browser.ts";
import { copy, goTo, openDashboard } from "../support/browser-dashboard.ts";
import { runExecutable } from "../support/executable.ts";
import { startScene, useScene } from "../support/scene.ts";
import { connectV2Agent } from "../support/v2-agent.ts";

const PUBLIC_URL = "https://chat.example.com";
const FLAGS = ["--public-url", PUBLIC_URL];

test("the server prints its public URL when it starts, with the link that signs in", async () => {
  const { server } = await startScene({ flags: FLAGS, onTerminal: true });
  await server.output(/Dashboard +https:\/\/chat\.example\.com\/dashboard#code=\S+/);
  await server.output(/from elsewhere +https:\/\/chat\.example\.com\/agents\/\S+/);
  await server.output(/wss:\/\/chat\.example\.com\/agents\/\S+\/client\/register/);
});

test("commands in another process take the public URL from the same settings", async () => {
  const { server } = await startScene({ flags: FLAGS });
  const given = ["--data", server.data, "--port", String(server.port)];
  const env = { PUBLIC_URL };
  const address = await runExecutable(["agents", "address", ...given], { env });
  expect(address.stdout).toContain(`from elsewhere   ${PUBLIC_URL}/agents/${server.agentKey}\n`);
  const pair = await runExecutable(["agents", "pair", ...given], { env });
  expect(pair.stdout).toMatch(/chatgpt-api-server agent https:\/\/chat\.example\.com --pair \S+\n/);
  expect(pair.stdout).toMatch(/\nlink +https:\/\/chat\.example\.com\/pair#\S+\n/);
});

test("a wrong public URL ends the start with one line and exit code 2", async () => {
  const { code, stderr } = await runExecutable(["0", "key", "--public-url", "chat.example.com/api"]);
  expect(code).toBe(2);
  expect(stderr).toContain('--public-url "chat.example.com/api" is not valid. Give a scheme and a host');
});

inBrowser("dashboard: public URL", (browser) => {
  const scene = useScene(FLAGS);

  test("every address that the dashboard offers to copy is the public one", async () => {
    const agent = await connectV2Agent(scene.url);
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    await page.getByRole("button", { name: "Create a key" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("box");
    await dialog.getByRole("button", { name: "Create key" }).click();
    const address = await copy(page, "the address");
    scene.server.keepSecret(address.split("/").at(-1) ?? "");
    expect(address).toStartWith(`${PUBLIC_URL}/agents/`);
    await dialog.getByRole("button", { name: "Done" }).click();

    await page.getByRole("button", { name: "Pair an agent" }).click();
    await dialog.getByRole("button", { name: "Make a code" }).click();
    expect(await copy(page, "the command")).toStartWith(`chatgpt-api-server agent ${PUBLIC_URL} --pair `);
    expect(await copy(page, "the link")).toStartWith(`${PUBLIC_URL}/pair#`);
    await dialog.getByRole("button", { name: "Revoke the code" }).click();
    await page.keyboard.press("Escape");

    await page.getByRole("link", { name: "Connect an agent" }).first().click();
    await page.getByRole("radio", { name: "Another machine" }).check();
    expect(await page.getByLabel("Address of this server").inputValue()).toBe(PUBLIC_URL);

    await goTo(page, "Users");
    await page.getByRole("button", { name: "Add a user" }).click();
    await dialog.getByLabel("Name").fill("Ann");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    scene.server.keepSecret(await copy(page, "the token"));
    expect(await copy(page, "the command")).toContain(`curl ${PUBLIC_URL}/api/ask`);
    await dialog.getByRole("button", { name: "Done" }).click();
    await goTo(page, "Try it");
    await shows(page.getByLabel("Code", { exact: true }).getByText(PUBLIC_URL));
  });
});
