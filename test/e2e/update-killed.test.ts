import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE, runExecutable } from "../support/executable.ts";
import { until } from "../support/until.ts";
import { servePage } from "../support/update/release-page.ts";
import {
  type Installed,
  installServer,
  makeRelease,
  scriptOf,
  sha256,
  useInstalled,
} from "../support/update/scene.ts";

const IS_LINUX = process.platform === "linux";
const OLD = IS_LINUX ? sha256(EXECUTABLE) : "";
const NEW = scriptOf("9.9.9");

/** Each moment at which the update is killed: what holds it up there, and how that ends. */
const MOMENTS: [
  string,
  (installed: Installed) => Promise<{ from: string; began: () => Promise<void>; release(): void }>,
][] = [
  [
    "while it downloads",
    async ({ executable }) => {
      const page = servePage(makeRelease(NEW), { cutAfter: 10 });
      const began = () => until(() => existsSync(`${executable}.part`));
      return { from: page.from, began, release: () => page[Symbol.dispose]() };
    },
  ],
  [
    "while it asks the new version whether it runs",
    async ({ home }) => {
      const mark = join(home, "asked");
      const slow = `#!/bin/sh\n[ "$1" = --version ] && touch '${mark}' && sleep 3\n${NEW.replace("#!/bin/sh\n", "")}`;
      return { from: makeRelease(slow), began: () => until(() => existsSync(mark)), release: () => {} };
    },
  ],
  [
    "while it stops the service",
    async (installed) => ({ from: makeRelease(NEW), ...installed.hold("stop") }),
  ],
  [
    "while it starts the service",
    async (installed) => ({ from: makeRelease(NEW), ...installed.hold("start") }),
  ],
];

test.if(IS_LINUX).each(MOMENTS)(
  "an update that is killed %s leaves a whole executable, and the next one completes",
  async (_, prepare) => {
    const installed = useInstalled();
    const { url } = await installServer(installed);
    const { from, began, release } = await prepare(installed);
    const killed = installed.update("--from", from);
    await began();
    killed.kill();
    await killed.ended;
    release();
    const now = readFileSync(installed.executable);
    expect(now.toString("latin1") === NEW || sha256(installed.executable) === OLD).toBe(true);
    expect((await runExecutable(["--version"], { path: installed.executable })).code).toBe(0);

    const next = await installed.update("--from", makeRelease(scriptOf("9.9.10"))).ended;
    expect(next.code).toBe(0);
    // Once the executable was replaced, its services may run the old one, or not run.
    if (now.toString("latin1") === NEW)
      expect(next.stderr).toContain("An update from 0.1.0 to 9.9.9 was interrupted.");
    expect((await fetch(`${url}/ready?agents=0`)).status).toBe(200);
    expect(installed.files()).toEqual(["chatgpt-api-server", "chatgpt-api-server.previous"]);
  },
);

test.if(IS_LINUX)("two updates at once do not disturb each other", async () => {
  const installed = useInstalled();
  await installServer(installed);
  const held = installed.hold("stop");
  const first = installed.update("--from", makeRelease(NEW));
  await held.began();
  const second = await installed.update("--from", makeRelease(NEW)).ended;
  expect([second.code, second.stderr]).toEqual([1, expect.stringContaining("Another update runs")]);
  held.release();
  expect((await first.ended).code).toBe(0);
});
