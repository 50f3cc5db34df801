import { session } from "./session.ts";

/** Returns the origin that the server's settings name for users and agents; undefined if they name none. */
export function publicUrl(): string | undefined {
  const current = session.get();
  return (current.state === "in" && current.who.public_url) || undefined;
}

/** Returns the server's origin for what people copy from the page: the public one, or else the one in the browser. */
export function serverUrl(): string {
  return publicUrl() ?? location.origin;
}
