import { Checkbox, Field } from "../../../components/field.tsx";
import { RadioCards } from "../../../components/radio-cards.tsx";
import { useState } from "../../../state/hooks.ts";
import { text } from "../../../texts/texts.ts";
import { type RunBy, type SourceKind, sourceOf } from "./join-line.ts";
import { type ServerAddress, upstreamFault } from "./server-address.ts";

/** How to run the built-in agent, and for which model server. */
export interface UpstreamOptions {
  by: RunBy;
  /** The typed address; undefined for the kind's default. */
  upstream?: { kind: SourceKind; url: string };
  /** Whether the API needs a key. */
  needsKey: boolean;
}

interface UpstreamFieldsProps {
  kind: SourceKind;
  server: ServerAddress | undefined;
  options: UpstreamOptions;
  onChange: (options: UpstreamOptions) => void;
}

/** Returns the model server's address. An address that was typed for another kind does not count. */
export function upstreamOf({ upstream }: UpstreamOptions, kind: SourceKind): string | undefined {
  return upstream?.kind === kind ? upstream.url : sourceOf(kind).upstream;
}

export function UpstreamFields({ kind, server, options, onChange }: UpstreamFieldsProps) {
  const [first] = useState(() => upstreamOf(options, kind));
  const upstream = upstreamOf(options, kind);
  return (
    <div class="join-more stack">
      {first !== undefined && upstream !== undefined ? (
        <Field
          label={text(kind === "api" ? "join.upstream.api" : "join.upstream")}
          name="upstream"
          value={first}
          autocomplete="off"
          onInput={(url) => onChange({ ...options, upstream: { kind, url } })}
          error={server && upstreamFault(upstream, server)}
        />
      ) : null}
      {kind === "api" ? (
        <Checkbox
          label={text("join.upstream.needsKey")}
          name="upstream-key"
          isChecked={options.needsKey}
          onInput={(needsKey) => onChange({ ...options, needsKey })}
        />
      ) : null}
      <RadioCards
        legend={text("join.by")}
        name="by"
        value={options.by}
        onChoose={(by) => onChange({ ...options, by })}
        options={[
          { value: "executable", title: text("join.by.executable"), about: text("join.by.executable.about") },
          { value: "windows", title: text("join.by.windows"), about: text("join.by.windows.about") },
          { value: "docker", title: text("join.by.docker"), about: text("join.by.docker.about") },
        ]}
      />
    </div>
  );
}
