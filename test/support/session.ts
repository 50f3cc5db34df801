/** What a browser sends along that asks for something of the page it shows. */
export const SAME_ORIGIN = { "sec-fetch-site": "same-origin" };

/** The cookie of a browser that has just signed in with the key, as it sends it. */
export async function cookieFor(url: string, key: string): Promise<string> {
  const signedIn = await fetch(`${url}/api/session`, { method: "POST", headers: { authorization: key } });
  if (signedIn.status !== 200) throw new Error(`not signed in: ${await signedIn.text()}`);
  return signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** The path of a script that the dashboard's page loads. */
export async function dashboardScript(url: string): Promise<string> {
  const page = await (await fetch(`${url}/dashboard`)).text();
  const path = /<script[^>]* src="([^"]+\.js)"/.exec(page)?.[1];
  if (path === undefined) throw new Error("The page loads no script.");
  return new URL(path, `${url}/dashboard`).pathname;
}
