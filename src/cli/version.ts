import { version as current } from "../../package.json";
import type { Command } from "./terminal.ts";

export const PROGRAM = "chatgpt-api-server";
export const VERSION: string = current;

export const version: Command = async (_args, io) => {
  io.out(`${PROGRAM} ${VERSION}\n`);
  return 0;
};
