import type { ServerAddress } from "../../builtin-agent/server/server-address.ts";
import { findAgentKey } from "../agents/exchange.ts";
import { keptKeys } from "../agents/kept-keys.ts";
import type { InputFile, Service } from "./service.ts";

/** How the service of an agent gets a key of its own: with a code, or from an earlier installation. */
export interface ServicePairing {
  server: ServerAddress;
  /** The pairing code; undefined if a key is kept already. */
  code: string | undefined;
  /** The agent's name, if it is given. */
  name: string | undefined;
  /** The folder of the service's secrets, which only the service and its installer can read. */
  keys: string;
}

/** Whether an earlier installation has paired an agent with the server. */
export function isPaired(keys: string, { label }: ServerAddress): boolean {
  return keptKeys(keys, label).read() !== undefined;
}

/**
 * Exchanges the code for a key, and returns the service with the key as the text of `input`, for the installation to write.
 * The key is also kept beside it together with a hash of its code, so that an installation that is called again, such as
 * after a failure, does not need another code. Call it when the folder exists. Throws a `CommandError`.
 */
export async function pairService(
  service: Service,
  { server, code, name, keys }: ServicePairing,
  print: (line: string) => void,
): Promise<Service> {
  const { key } = await findAgentKey({ server, code, name, print, given: undefined, data: keys });
  const withKey = (input: InputFile) =>
    input.isPaired && key !== undefined ? { ...input, text: key } : input;
  return { ...service, inputs: service.inputs.map(withKey) };
}
