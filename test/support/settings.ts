import { SettingsAnswer } from "../../src/http/admin/schema.ts";
import { ADMIN_KEY } from "./server.ts";

/** Reads and changes the settings of a running server as its administrator. */
export function settingsOf(url: string) {
  const send = async (method: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/admin/settings`, {
      method,
      headers: { authorization: ADMIN_KEY, ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const json = (await response.json()) as { error?: string; hint?: string };
    return { status: response.status, etag: response.headers.get("etag") ?? "", json };
  };
  return {
    send,
    /** Changes settings, which must be accepted. Resolves with the settings in force. */
    async change(given: object) {
      const { status, json } = await send("PATCH", given);
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(json)}`);
      return SettingsAnswer.parse(json).settings;
    },
    /** Resolves with the settings in force. */
    read: async () => SettingsAnswer.parse((await send("GET")).json).settings,
  };
}
