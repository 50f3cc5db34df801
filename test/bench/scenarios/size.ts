import { statSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "../rows.ts";
import type { Scenario } from "../scenario.ts";

const ROOTFS = join(import.meta.dir, "../../../.ci/rootfs");

export const SIZE: Scenario = {
  name: "size",
  about: "the executable and the content of the image",
  sets: ["goals"],
  async run({ workshop }) {
    const scenario = "size";
    const unit = "MB";
    const rows: Row[] = [
      {
        scenario,
        metric: "executable",
        unit,
        value: statSync(workshop.executable).size / 1e6,
        goal: { of: "value", atMost: 120 },
      },
    ];
    const folder = join(workshop.folder, "image");
    const laidOut = Bun.spawnSync(["bash", ROOTFS, folder], { stderr: "inherit" });
    if (!laidOut.success) return rows;
    const paths = [...new Bun.Glob("**").scanSync({ cwd: folder, onlyFiles: true, dot: true })];
    const bytes = paths.reduce((sum, path) => sum + statSync(join(folder, path)).size, 0);
    return [...rows, { scenario, metric: "image, uncompressed", unit, value: bytes / 1e6 }];
  },
};
