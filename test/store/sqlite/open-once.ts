import { CommandError } from "../../../src/errors.ts";
import { openStore } from "../../../src/store/sqlite/open.ts";
import { newUser } from "../rows.ts";

/**
 * A child process that opens a store at the given time, adds one user and prints "ok", or why it cannot. If a
 * user id is given, it runs as that ordinary user.
 */
const [path = "", openAt = "0", userId] = process.argv.slice(2);
if (userId !== undefined) process.setuid?.(Number(userId));
await Bun.sleep(Math.max(0, Number(openAt) - Date.now()));
try {
  const store = openStore({ path });
  await store.users.add([newUser(`user of process ${process.pid}`)]);
  await store.close();
  process.stdout.write("ok");
} catch (error) {
  process.stdout.write(error instanceof CommandError ? error.message : `unexpected: ${error}`);
}
