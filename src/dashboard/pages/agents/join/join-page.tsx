import { useRef, useState } from "hono/jsx/dom";
import { api } from "../../../api/api.ts";
import { LinkButton } from "../../../components/button.tsx";
import { Card, Notice } from "../../../components/card.tsx";
import { PageHeader } from "../../../components/page-header.tsx";
import { RadioCards } from "../../../components/radio-cards.tsx";
import { hrefOf } from "../../../state/route.ts";
import { useFetch } from "../../../state/use-fetch.ts";
import { type Agents, useAgents } from "../use-agents.ts";
import { canReach, SOURCES, type SourceKind, sourceOf } from "./join-line.ts";
import { JoinStatus } from "./join-status.tsx";
import { type KeyChoice, KeyStep, keyOf } from "./key-step.tsx";
import { LineStep } from "./line-step.tsx";
import { MachineStep, type Place } from "./machine-step.tsx";
import {
  isLoopbackHost,
  type JoinRules,
  joinRules,
  readServer,
  type ServerAddress,
  urlOf,
} from "./server-address.ts";
import { UpstreamFields, type UpstreamOptions } from "./upstream-fields.tsx";

const PAGE: ServerAddress = { isSecure: location.protocol === "https:", host: location.host };

/** From what there is to the line that joins it, and until it is there. */
export function JoinPage() {
  const settings = useFetch((signal) => api.settings(signal), []);
  const agents = useAgents();
  return (
    <>
      <PageHeader title="Join an agent" lead="Three choices, one line to paste, and it turns green.">
        <LinkButton href={hrefOf("agents")}>All agents</LinkButton>
      </PageHeader>
      {settings.error ? <Notice tone="bad">{settings.error}</Notice> : null}
      {agents.error ? <Notice tone="bad">{agents.error}</Notice> : null}
      {settings.value && agents.value ? (
        <JoinSteps rules={joinRules(settings.value.settings, PAGE)} agents={agents} />
      ) : null}
    </>
  );
}

function JoinSteps({ rules, agents }: { rules: JoinRules; agents: Agents }) {
  const [kind, setKind] = useState<SourceKind>("ollama");
  const [place, setPlace] = useState<Place>(() => firstPlace(rules));
  const [address, setAddress] = useState(() => urlOf(PAGE));
  const [wishes, setWishes] = useState<UpstreamOptions>({ by: "executable", wantsKey: true });
  const [key, setKey] = useState<KeyChoice | undefined>(undefined);
  const before = useRef<ReadonlySet<string>>(idsOf(agents));
  const choose = (next: SourceKind) => {
    setKind(next);
    before.current = idsOf(agents);
  };
  const own = place === "own" ? rules.own : undefined;
  const server = own ?? readServer(address, PAGE);
  const isKeyNeeded = own === undefined && !rules.isOpen;
  const choice = choiceFor(isKeyNeeded, key);
  const hasLine = server !== undefined && keyOf(choice) !== undefined && canReach(kind, server);
  return (
    <>
      <Card title="1. What brings the models?">
        <RadioCards
          legend="What brings the models"
          isLegendHidden
          name="kind"
          value={kind}
          onChoose={choose}
          options={SOURCES.map(({ kind, title, about }) => ({ value: kind, title, about }))}
        />
        {sourceOf(kind).by === "built-in" ? (
          <UpstreamFields key={kind} kind={kind} server={server} wishes={wishes} onWish={setWishes} />
        ) : null}
      </Card>
      <Card title="2. Where does it run?">
        <MachineStep
          rules={rules}
          place={place}
          onPlace={setPlace}
          address={address}
          server={server}
          onAddress={setAddress}
        />
      </Card>
      <Card title="3. Which key does it show?">
        <KeyStep kind={kind} isNeeded={isKeyNeeded} choice={choice} onChoose={setKey} />
      </Card>
      <Card title="4. Paste this line">
        <LineStep kind={kind} server={server} choice={choice} wishes={wishes} />
      </Card>
      <JoinStatus
        key={kind}
        agents={agents}
        choice={hasLine ? choice : undefined}
        before={before.current ?? new Set()}
      />
    </>
  );
}

function idsOf({ value }: Agents): ReadonlySet<string> {
  return new Set(value?.map(({ id }) => id));
}

/** What was chosen for another place may not do for this one. */
function choiceFor(isKeyNeeded: boolean, chosen: KeyChoice | undefined): KeyChoice {
  if (!isKeyNeeded) return chosen ?? { mode: "none" };
  return chosen === undefined || chosen.mode === "none" ? { mode: "new" } : chosen;
}

/** Who looks from the server's own machine likely has the models there too. */
function firstPlace({ own }: JoinRules): Place {
  return own !== undefined && isLoopbackHost(PAGE) ? "own" : "elsewhere";
}
