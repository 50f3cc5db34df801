import { isLoopbackHost } from "./addresses.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the runtime sends a request for the URL through an HTTP proxy that the environment names. */
export function usesProxy(url: string, env: Environment): boolean {
  const { protocol, hostname, host } = new URL(url);
  const read = (name: string) => env[name.toLowerCase()] || env[name] || "";
  if (isLoopbackHost(hostname)) return false;
  if (!read(protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY") && !read("ALL_PROXY")) return false;
  const exceptions = read("NO_PROXY")
    .split(",")
    .map((name) => name.trim().replace(/^\./, "").toLowerCase());
  return !exceptions.some(
    (name) =>
      name === "*" || (name !== "" && (name === host || name === hostname || hostname.endsWith(`.${name}`))),
  );
}
