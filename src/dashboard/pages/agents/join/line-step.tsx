import type { Child } from "hono/jsx/dom";
import { Notice } from "../../../components/card.tsx";
import { CopyField } from "../../../components/copy-button.tsx";
import { joinLine, type SourceKind, sourceOf, UPSTREAM_KEY_SAMPLE } from "./join-line.ts";
import { type KeyChoice, keyOf } from "./key-step.tsx";
import { type ServerAddress, upstreamFault } from "./server-address.ts";
import { type UpstreamOptions, upstreamOf } from "./upstream-fields.tsx";

interface LineStepProps {
  kind: SourceKind;
  server: ServerAddress | undefined;
  choice: KeyChoice;
  wishes: UpstreamOptions;
}

export function LineStep({ kind, server, choice, wishes }: LineStepProps) {
  const upstream = upstreamOf(wishes, kind);
  if (!server) return <p class="muted">It is shown once the server's address above is right.</p>;
  if (upstream !== undefined && upstreamFault(upstream, server))
    return <p class="muted">It is shown once the model server's address above is right.</p>;
  const key = keyOf(choice);
  if (key === undefined)
    return (
      <p class="muted">It is shown once the key is {choice.mode === "have" ? "typed above" : "made"}.</p>
    );
  const hasUpstreamKey = kind === "api" && wishes.wantsKey;
  const line = joinLine({
    kind,
    server,
    key: key ?? undefined,
    ...(upstream !== undefined && { upstream: upstream.trim() }),
    hasUpstreamKey,
    by: wishes.by,
  });
  if (line === undefined) return <NoTls server={server} />;
  return (
    <div class="stack">
      <CopyField text={line} what="the line" />
      <ul class="join-hints">
        {hasUpstreamKey ? (
          <li>
            Put the API's key in the place of <code>{UPSTREAM_KEY_SAMPLE}</code>. It stays on the agent's
            machine.
          </li>
        ) : null}
        <Where kind={kind} wishes={wishes} />
        {sourceOf(kind).by === "built-in" ? <BuiltInHints server={server} hasKey={key !== null} /> : null}
      </ul>
    </div>
  );
}

function NoTls({ server }: { server: ServerAddress }) {
  return (
    <Notice tone="warn">
      The Firefox extension speaks no TLS, so it cannot use https://{server.host}. Give it, in step 2, an
      address that begins with http:// and leads to this server without TLS, as the server's own port does
      behind a proxy: only within a network that you trust.
    </Notice>
  );
}

function Where({ kind, wishes }: { kind: SourceKind; wishes: UpstreamOptions }) {
  if (kind === "firefox")
    return (
      <>
        <li>
          It is the endpoint in the preferences of the{" "}
          <Away href="https://github.com/ChatGPT-Hackers/ChatGPT-API-agent">Firefox extension</Away>: without
          a scheme, as it adds that and the rest of the path itself.
        </li>
        <li>Save it, then open ChatGPT, or load its tab anew.</li>
      </>
    );
  if (kind === "python")
    return (
      <li>
        It is the server's address of the{" "}
        <Away href="https://github.com/ahmetkca/chatgpt-unofficial-api-docker/tree/ChatGPT-API-agent">
          Python agent
        </Away>
        .
      </li>
    );
  if (kind === "own")
    return (
      <li>
        Open a WebSocket there, offering the subprotocol <code>chatgpt-agent.v2</code>.{" "}
        <code>docs/agent-protocol.md</code> has the protocol, and a whole agent to begin with. One that can
        send headers may leave <code>/agents/…</code> out, and send the key as{" "}
        <code>Authorization: Bearer</code>.
      </li>
    );
  if (wishes.by === "docker")
    return (
      <li>
        In a shell on the agent's machine, which has the image from{" "}
        <code>docker build -t chatgpt-api-server .</code> in the sources.
      </li>
    );
  return (
    <li>
      In a shell on the agent's machine, beside the executable <code>chatgpt-api-server</code>: it is the same
      one as the server's.
    </li>
  );
}

function BuiltInHints({ server, hasKey }: { server: ServerAddress; hasKey: boolean }) {
  return (
    <>
      {hasKey ? (
        <li>
          On a machine that others use too, keep the key off the command line: <code>AGENT_KEY_FILE</code>{" "}
          names a file with it.
        </li>
      ) : null}
      {server.isSecure ? (
        <li>
          Is the server's certificate by an authority of your own? <code>NODE_EXTRA_CA_CERTS=ca.pem</code>{" "}
          before the command makes the agent trust it.
        </li>
      ) : null}
    </>
  );
}

function Away({ href, children }: { href: string; children?: Child }) {
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {children}
    </a>
  );
}
