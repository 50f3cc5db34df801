import { setDefaultTimeout } from "bun:test";
import "./description/described.ts";

/**
 * The time limit is for a test that hangs, not for a slow machine. Bun applies this one to the first file of
 * a run only, which is enough for `bun test <file>`; the scripts of package.json pass `--timeout`.
 */
setDefaultTimeout(300_000);
