import type { Child } from "hono/jsx/dom";
import { Notice } from "../../../components/card.tsx";
import { CopyField } from "../../../components/copy-button.tsx";
import { code } from "../../../texts/code.tsx";
import { richText, text } from "../../../texts/texts.ts";
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
  if (!server) return <p class="muted">{text("join.line.noServer")}</p>;
  if (upstream !== undefined && upstreamFault(upstream, server))
    return <p class="muted">{text("join.line.noUpstream")}</p>;
  const key = keyOf(choice);
  if (key === undefined)
    return (
      <p class="muted">{text(choice.mode === "existing" ? "join.line.enterKey" : "join.line.createKey")}</p>
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
      <CopyField text={line} what={text("join.line.what")} />
      <ul class="join-hints">
        {hasUpstreamKey ? (
          <li>{richText("join.line.upstreamKey", { sample: code(UPSTREAM_KEY_SAMPLE) })}</li>
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
      {text("join.line.noTls", { address: `https://${server.host}`, scheme: "http://" })}
    </Notice>
  );
}

function Instructions({ kind, options }: { kind: SourceKind; options: UpstreamOptions }) {
  if (kind === "firefox")
    return (
      <>
        <li>
          {richText("join.line.firefox", {
            extension: (
              <ExternalLink href="https://github.com/ChatGPT-Hackers/ChatGPT-API-agent">
                {text("join.line.firefox.extension")}
              </ExternalLink>
            ),
          })}
        </li>
        <li>{text("join.line.firefox.save")}</li>
      </>
    );
  if (kind === "python")
    return (
      <li>
        {richText("join.line.python", {
          agent: (
            <ExternalLink href="https://github.com/ahmetkca/chatgpt-unofficial-api-docker/tree/ChatGPT-API-agent">
              {text("join.line.python.agent")}
            </ExternalLink>
          ),
        })}
      </li>
    );
  if (kind === "own")
    return (
      <li>
        {richText("join.line.own", {
          protocol: code("chatgpt-agent.v2"),
          document: code("docs/agent-protocol.md"),
          path: code("/agents/…"),
          header: code("Authorization: Bearer"),
        })}
      </li>
    );
  if (options.by === "docker")
    return <li>{richText("join.line.docker", { command: code("docker build -t chatgpt-api-server .") })}</li>;
  if (options.by === "windows")
    return <li>{richText("join.line.windows", { executable: code("chatgpt-api-server.exe") })}</li>;
  return <li>{richText("join.line.executable", { executable: code("chatgpt-api-server") })}</li>;
}

function BuiltInHints({ server, hasKey }: { server: ServerAddress; hasKey: boolean }) {
  return (
    <>
      {hasKey ? <li>{richText("join.line.keyFile", { variable: code("AGENT_KEY_FILE") })}</li> : null}
      {server.isSecure ? (
        <li>{richText("join.line.ownAuthority", { variable: code("NODE_EXTRA_CA_CERTS=ca.pem") })}</li>
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
