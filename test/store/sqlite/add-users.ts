import { openStore } from "../../../src/store/sqlite/open.ts";
import { newUser } from "../rows.ts";

/** A child process that adds users until it is killed, and prints each id once it is acknowledged. */
const [path = "", prefix = ""] = process.argv.slice(2);
const { users } = openStore({ path });
for (let count = 0; ; count++) {
  const id = `${prefix}-${count}`;
  await users.add([newUser(id)]);
  process.stdout.write(`${id}\n`);
}
