/** Creates the migrations of each kind of database from its schema. Arguments are those of drizzle-kit. */
for (const kind of ["sqlite", "postgres"]) {
  const command = ["bun", "x", "drizzle-kit", "generate", "--config", `drizzle/${kind}/config.ts`];
  const { exitCode } = Bun.spawnSync([...command, ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit"],
  });
  if (exitCode !== 0) process.exit(exitCode);
}

export {};
