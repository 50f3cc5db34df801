import { useRef } from "hono/jsx/dom";
import { api } from "../../../api/api.ts";
import { LinkButton } from "../../../components/button.tsx";
import { Card, Notice } from "../../../components/card.tsx";
import { PageHeader } from "../../../components/page-header.tsx";
import { RadioCards } from "../../../components/radio-cards.tsx";
import { useState } from "../../../state/hooks.ts";
import { hrefOf } from "../../../state/route.ts";
import { publicUrl } from "../../../state/server-url.ts";
import { useFetch } from "../../../state/use-fetch.ts";
import { text } from "../../../texts/texts.ts";
import { ClusterNotice } from "../cluster-notice.tsx";
import { type Agents, useAgents } from "../use-agents.ts";
import { canReach, SOURCES, type SourceKind, sourceOf } from "./join-line.ts";
import { isKeyNeeded, type JoinRules, joinRules } from "./join-rules.ts";
import { JoinStatus } from "./join-status.tsx";
import { type KeyChoice, KeyStep, keyOf } from "./key-step.tsx";
import { LineStep } from "./line-step.tsx";
import { type Machine, MachineStep } from "./machine-step.tsx";
import { isLoopbackHost, proposedAddress, readServer, type ServerAddress } from "./server-address.ts";
import { UpstreamFields, type UpstreamOptions } from "./upstream-fields.tsx";

const PAGE: ServerAddress = { isSecure: location.protocol === "https:", host: location.host };

/**
 * Guides from the kind of model source to the line that connects it, and waits until the agent is connected.
 */
export function JoinPage() {
  const settings = useFetch(async (signal) => (await api.settings(signal)).answer, []);
  const agents = useAgents();
  return (
    <>
      <PageHeader title={text("join.title")} lead={text("join.lead")}>
        <LinkButton href={hrefOf("agents")}>{text("join.allAgents")}</LinkButton>
      </PageHeader>
      {settings.error ? <Notice tone="bad">{settings.error}</Notice> : null}
      {agents.error ? <Notice tone="bad">{agents.error}</Notice> : null}
      <ClusterNotice agents={agents} />
      {settings.value && agents.value ? (
        <JoinSteps rules={joinRules(settings.value.settings, PAGE)} agents={agents} />
      ) : null}
    </>
  );
}

function JoinSteps({ rules, agents }: { rules: JoinRules; agents: Agents }) {
  const [kind, setKind] = useState<SourceKind>("ollama");
  const [machine, setMachine] = useState<Machine>(() => likelyMachine(rules));
  const [address, setAddress] = useState(() =>
    proposedAddress({ publicUrl: publicUrl(), page: PAGE, isCluster: rules.isCluster }),
  );
  const [options, setOptions] = useState<UpstreamOptions>({ by: "executable", needsKey: true });
  const [key, setKey] = useState<KeyChoice | undefined>(undefined);
  const before = useRef<ReadonlySet<string>>(idsOf(agents));
  const choose = (next: SourceKind) => {
    setKind(next);
    before.current = idsOf(agents);
  };
  const local = machine === "server" ? rules.localAddress : undefined;
  const server = local ?? readServer(address, PAGE);
  const isNeeded = isKeyNeeded(rules, kind, local !== undefined);
  const choice = choiceFor(isNeeded, key);
  const hasLine = server !== undefined && keyOf(choice) !== undefined && canReach(kind, server);
  return (
    <>
      <Card title={text("join.step1")}>
        <RadioCards
          legend={text("join.step1.legend")}
          isLegendHidden
          name="kind"
          value={kind}
          onChoose={choose}
          options={SOURCES.map(({ kind, title, about }) => ({ value: kind, title, about }))}
        />
        {sourceOf(kind).by === "built-in" ? (
          <UpstreamFields key={kind} kind={kind} server={server} options={options} onChange={setOptions} />
        ) : null}
      </Card>
      <Card title={text("join.step2")}>
        <MachineStep
          rules={rules}
          machine={machine}
          onMachine={setMachine}
          address={address}
          server={server}
          onAddress={setAddress}
        />
      </Card>
      <Card title={text("join.step3")}>
        <KeyStep kind={kind} isNeeded={isNeeded} choice={choice} onChoose={setKey} />
      </Card>
      <Card title={text("join.step4")}>
        <LineStep kind={kind} server={server} choice={choice} options={options} />
      </Card>
      <JoinStatus
        key={`${kind} ${keyOf(choice) ?? ""}`}
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

/** Returns the key choice, corrected if it was made for another machine and does not suit this one. */
function choiceFor(isNeeded: boolean, chosen: KeyChoice | undefined): KeyChoice {
  if (!isNeeded) return chosen ?? { mode: "none" };
  return chosen === undefined || chosen.mode === "none" ? { mode: "new" } : chosen;
}

/**
 * Guesses the agent's machine: people who use the page on the server's machine often have the models there
 * too. An agent that knows one node of a cluster only is lost when that stops.
 */
function likelyMachine({ localAddress, isCluster }: JoinRules): Machine {
  return !isCluster && localAddress !== undefined && isLoopbackHost(PAGE) ? "server" : "elsewhere";
}
