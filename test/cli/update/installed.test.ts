import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Machine } from "../../../src/cli/service/service.ts";
import { servicesOf } from "../../../src/cli/update/installed.ts";
import { planOf } from "../../support/service.ts";
import { tempFolder } from "../../support/store.ts";

/** A machine whose user installs services, and writes their files. */
function machineOf(platform: string): Machine {
  return { platform, isAdmin: false, uid: 1000, user: "ann", home: tempFolder(), env: {} };
}

function write(plan: ReturnType<typeof planOf>): void {
  for (const { path, text } of plan.files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

// The paths of Windows need Windows.
test.if(process.platform !== "win32").each(["linux", "darwin"])(
  "the services of an executable are found with their settings on %s",
  (platform) => {
    const machine = machineOf(platform);
    const executable = '/opt/a 100% "b" & c/chatgpt-api-server';
    const data = join(machine.home, "data & more");
    mkdirSync(data);
    const args = ["8123", "key-of-admin", "--host", "127.0.0.1", "--data", data, "--auto-update"];
    write(planOf("serve", args, machine, executable));
    write(planOf("agent", ["localhost", "--echo", "--service-name", "two"], machine, executable));
    write(planOf("agent", ["localhost", "--echo"], machine, "/opt/other"));
    const services = servicesOf(executable, machine);
    expect(services.map(({ name }) => name)).toEqual(["chatgpt-api-server", "chatgpt-api-agent-two"]);
    const names = ["CHATGPT_API_PORT", "CHATGPT_API_HOST", "CHATGPT_API_DATA", "CHATGPT_API_TLS_CERT"];
    expect(names.map((name) => services[0]?.variable(name))).toEqual(["8123", "127.0.0.1", data, undefined]);
    expect(servicesOf("/opt/nothing", machine)).toEqual([]);
  },
);
