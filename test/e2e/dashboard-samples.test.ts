import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inBrowser } from "../support/browser.ts";
import { runInShell, runModule } from "../support/browser-commands.ts";
import { copy, goTo, openDashboard } from "../support/browser-dashboard.ts";
import { testWith } from "../support/programs.ts";
import { useScene } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";
import { connectV2Agent, messagesOf, streamPieces } from "../support/v2-agent.ts";

/** Everything that a shell, JSON, JavaScript or Python might interpret. */
const QUESTION = `It's "so" \\n $HOME \`id\` \${x} {y} !! %s #'''\n\ttwo — naïve 日本語 👩‍🔬\u2028end`;

inBrowser("dashboard: code samples", (browser) => {
  const scene = useScene();

  /**
   * Copies a code sample for the question. Also returns a token, and the questions that the agent received.
   */
  async function take(kind: string) {
    const asked: (string | undefined)[] = [];
    const agent = await connectV2Agent(scene.url, {
      onAsk(ask, self) {
        asked.push(messagesOf(ask).at(-1)?.content);
        streamPieces(self, ask.ask, ["so ", "it ", "is"]);
      },
    });
    scene.after(() => agent.stop());
    const { token } = await scene.addUser();
    const page = await openDashboard(browser, scene, { key: token });
    await goTo(page, "Try it");
    await page.getByLabel("Your message").fill(QUESTION);
    await page
      .getByRole("group", { name: "Language" })
      .getByRole("radio", { name: kind, exact: true })
      .check();
    await page.getByLabel("Code", { exact: true }).getByText("two").waitFor();
    const code = await copy(page, "the code");
    expect(code).not.toContain(token);
    return { code, env: { API_KEY: token }, asked };
  }

  testWith("curl", "the curl sample works as it is copied", async () => {
    const { code, env, asked } = await take("curl");
    const { stdout } = await runInShell(code, env);
    expect(stdout).toMatch(/^data: (.|\n)*"so "(.|\n)*"it "(.|\n)*"is"(.|\n)*data: \[DONE\]\s*$/);
    expect(asked).toEqual([QUESTION]);
  });

  testWith("curl", "the /api/ask sample works as it is copied", async () => {
    const { code, env, asked } = await take("/api/ask");
    const { stdout } = await runInShell(code, env);
    expect(JSON.parse(stdout)).toMatchObject({ content: "so it is", conversation_id: expect.any(String) });
    expect(asked).toEqual([QUESTION]);
  });

  test("the openai-node sample works as it is copied", async () => {
    const { code, env, asked } = await take("openai-node");
    expect(await runModule(code, env)).toEqual({ code: 0, stdout: "so it is", stderr: "" });
    expect(asked).toEqual([QUESTION]);
  });

  testWith(
    "python3",
    "the openai-python sample compiles and contains the question unchanged",
    async (python) => {
      const { code, asked } = await take("openai-python");
      const path = join(tempFolder(), "sample.py");
      writeFileSync(path, code);
      const literals =
        "import ast, json, sys; print(json.dumps([n.value for n in ast.walk(ast.parse(open(sys.argv[1], encoding='utf8').read())) if isinstance(n, ast.Constant)]))";
      const { stdout } = Bun.spawnSync([python, "-c", literals, path]);
      expect(JSON.parse(stdout.toString())).toEqual(
        expect.arrayContaining([QUESTION, `${scene.url}/v1`, "API_KEY"]),
      );
      expect(asked).toEqual([]);
    },
  );
});
