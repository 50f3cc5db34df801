import { onTestFinished } from "bun:test";

export interface Received {
  method: string;
  path: string;
  headers: Headers;
  text: string;
}

/** Starts a receiver of messages that keeps what it gets, and answers as `answer` says. It stops with the test. */
export function startReceiver(
  answer: (count: number) => Response | Promise<Response> = () => new Response("ok"),
) {
  const received: Received[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const { method, headers, url } = request;
      const { pathname, search } = new URL(url);
      received.push({ method, path: pathname + search, headers, text: await request.text() });
      return answer(received.length);
    },
  });
  onTestFinished(() => server.stop(true));
  return { received, url: `http://127.0.0.1:${server.port}/hook` };
}
