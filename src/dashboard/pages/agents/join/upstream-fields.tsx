import { useState } from "hono/jsx/dom";
import { Checkbox, Field } from "../../../components/field.tsx";
import { RadioCards } from "../../../components/radio-cards.tsx";
import { type SourceKind, sourceOf } from "./join-line.ts";
import { type ServerAddress, upstreamFault } from "./server-address.ts";

/** How the built-in agent is to be run, and before what. */
export interface UpstreamOptions {
  by: "executable" | "docker";
  /** As typed; undefined for the kind's usual one. */
  upstream?: { kind: SourceKind; url: string };
  /** Of an API. */
  wantsKey: boolean;
}

interface UpstreamFieldsProps {
  kind: SourceKind;
  server: ServerAddress | undefined;
  wishes: UpstreamOptions;
  onWish: (wishes: UpstreamOptions) => void;
}

/** What was typed for another kind is not this one's. */
export function upstreamOf({ upstream }: UpstreamOptions, kind: SourceKind): string | undefined {
  return upstream?.kind === kind ? upstream.url : sourceOf(kind).upstream;
}

export function UpstreamFields({ kind, server, wishes, onWish }: UpstreamFieldsProps) {
  const [first] = useState(() => upstreamOf(wishes, kind));
  const upstream = upstreamOf(wishes, kind);
  return (
    <div class="join-more stack">
      {first !== undefined && upstream !== undefined ? (
        <Field
          label={
            kind === "api" ? "Base URL of the API" : "Address of the model server, from the agent's machine"
          }
          name="upstream"
          value={first}
          autocomplete="off"
          onInput={(url) => onWish({ ...wishes, upstream: { kind, url } })}
          error={server && upstreamFault(upstream, server)}
        />
      ) : null}
      {kind === "api" ? (
        <Checkbox
          label="It wants a key"
          name="upstream-key"
          isChecked={wishes.wantsKey}
          onInput={(wantsKey) => onWish({ ...wishes, wantsKey })}
        />
      ) : null}
      <RadioCards
        legend="Run the agent"
        name="by"
        value={wishes.by}
        onChoose={(by) => onWish({ ...wishes, by })}
        options={[
          { value: "executable", title: "As an executable", about: "Linux, macOS, Windows" },
          { value: "docker", title: "In Docker", about: "Linux, started anew by itself" },
        ]}
      />
    </div>
  );
}
