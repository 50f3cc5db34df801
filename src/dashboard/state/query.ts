import { hrefOf } from "./route.ts";

/** The parameters of an address. Those that are undefined or empty are left out of it. */
export type Params = Readonly<Record<string, string | undefined>>;

/** Returns the address of a page with these parameters. */
export function hrefWith(page: string, params: Params): string {
  const given = Object.entries(params).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return hrefOf(page, "", Object.fromEntries(given));
}
