import { useState } from "hono/jsx/dom";
import { Checkbox, Field } from "../../kit/field.tsx";
import { Choices } from "./choices.tsx";
import { choiceOf, type JoinKind } from "./join-lines.ts";
import { type ServerAddress, upstreamFault } from "./join-target.ts";

/** How the built-in agent is to be run, and before what. */
export interface UpstreamWishes {
  by: "executable" | "docker";
  /** As typed; undefined for the kind's usual one. */
  upstream?: { kind: JoinKind; url: string };
  /** Of an API. */
  wantsKey: boolean;
}

interface UpstreamFieldsProps {
  kind: JoinKind;
  server: ServerAddress | undefined;
  wishes: UpstreamWishes;
  onWish: (wishes: UpstreamWishes) => void;
}

/** What was typed for another kind is not this one's. */
export function upstreamOf({ upstream }: UpstreamWishes, kind: JoinKind): string | undefined {
  return upstream?.kind === kind ? upstream.url : choiceOf(kind).upstream;
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
      <Choices
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
