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
  options: UpstreamOptions;
}

export function LineStep({ kind, server, choice, options }: LineStepProps) {
  const upstream = upstreamOf(options, kind);
  if (!server) return <p class="muted">Enter a valid server address above to see the line.</p>;
  if (upstream !== undefined && upstreamFault(upstream, server))
    return <p class="muted">Enter a valid model server address above to see the line.</p>;
  const key = keyOf(choice);
  if (key === undefined)
    return (
      <p class="muted">{choice.mode === "existing" ? "Enter" : "Create"} a key above to see the line.</p>
    );
  const hasUpstreamKey = kind === "api" && options.needsKey;
  const line = joinLine({
    kind,
    server,
    key: key ?? undefined,
    ...(upstream !== undefined && { upstream: upstream.trim() }),
    hasUpstreamKey,
    by: options.by,
  });
  if (line === undefined) return <NoTls server={server} />;
  return (
    <div class="stack">
      <CopyField text={line} what="the line" />
      <ul class="join-hints">
        {hasUpstreamKey ? (
          <li>
            Replace <code>{UPSTREAM_KEY_SAMPLE}</code> with the API's key. It stays on the agent's machine.
          </li>
        ) : null}
        <Instructions kind={kind} options={options} />
        {sourceOf(kind).by === "built-in" ? <BuiltInHints server={server} hasKey={key !== null} /> : null}
      </ul>
    </div>
  );
}

function NoTls({ server }: { server: ServerAddress }) {
  return (
    <Notice tone="warn">
      The Firefox extension does not support TLS, so it cannot use https://{server.host}. In step 2, enter an
      http:// address that reaches this server without TLS, such as the server's own port behind a proxy. Do
      this only within a network that you trust.
    </Notice>
  );
}

function Instructions({ kind, options }: { kind: SourceKind; options: UpstreamOptions }) {
  if (kind === "firefox")
    return (
      <>
        <li>
          Paste it as the endpoint in the preferences of the{" "}
          <ExternalLink href="https://github.com/ChatGPT-Hackers/ChatGPT-API-agent">
            Firefox extension
          </ExternalLink>
          . It has no scheme, because the extension adds the scheme and the rest of the path itself.
        </li>
        <li>Save it, then open ChatGPT, or reload its tab.</li>
      </>
    );
  if (kind === "python")
    return (
      <li>
        Use it as the server address of the{" "}
        <ExternalLink href="https://github.com/ahmetkca/chatgpt-unofficial-api-docker/tree/ChatGPT-API-agent">
          Python agent
        </ExternalLink>
        .
      </li>
    );
  if (kind === "own")
    return (
      <li>
        Open a WebSocket to this address and offer the subprotocol <code>chatgpt-agent.v2</code>.{" "}
        <code>docs/agent-protocol.md</code> describes the protocol and contains a complete agent to start
        from. If your agent can set headers, it can leave out <code>/agents/…</code> and send the key as{" "}
        <code>Authorization: Bearer</code>.
      </li>
    );
  if (options.by === "docker")
    return (
      <li>
        Run it in a shell on the agent's machine. Build the image there first, with{" "}
        <code>docker build -t chatgpt-api-server .</code> in the source folder.
      </li>
    );
  if (options.by === "windows")
    return (
      <li>
        Run it in PowerShell on the agent's machine, in the folder with <code>chatgpt-api-server.exe</code>,
        which is built for Windows.
      </li>
    );
  return (
    <li>
      Run it in a shell on the agent's machine, in the folder with the executable{" "}
      <code>chatgpt-api-server</code>. It is the same executable as the server's.
    </li>
  );
}

function BuiltInHints({ server, hasKey }: { server: ServerAddress; hasKey: boolean }) {
  return (
    <>
      {hasKey ? (
        <li>
          If others use the agent's machine too, keep the key off the command line: put it into a file, and
          name the file in <code>AGENT_KEY_FILE</code>.
        </li>
      ) : null}
      {server.isSecure ? (
        <li>
          If your own authority issued the server's certificate, put <code>NODE_EXTRA_CA_CERTS=ca.pem</code>{" "}
          before the command so that the agent trusts it.
        </li>
      ) : null}
    </>
  );
}

function ExternalLink({ href, children }: { href: string; children?: Child }) {
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {children}
    </a>
  );
}
