/** The headers of a request that a page makes to its own server. */
export const SAME_ORIGIN = { "sec-fetch-site": "same-origin" };

/** Signs in with the key, and resolves with the cookie that a browser then sends. */
export async function cookieFor(url: string, key: string): Promise<string> {
  const signedIn = await fetch(`${url}/api/session`, { method: "POST", headers: { authorization: key } });
  if (signedIn.status !== 200) throw new Error(`not signed in: ${await signedIn.text()}`);
  return signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** Resolves with the path of a script that the dashboard's page loads. */
export async function dashboardScript(url: string): Promise<string> {
  const page = await (await fetch(`${url}/dashboard`)).text();
  const path = /<script[^>]* src="([^"]+\.js)"/.exec(page)?.[1];
  if (path === undefined) throw new Error("The page loads no script.");
  return new URL(path, `${url}/dashboard`).pathname;
}
