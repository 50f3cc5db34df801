import { Notice } from "../../../components/card.tsx";
import { Field } from "../../../components/field.tsx";
import { RadioCards } from "../../../components/radio-cards.tsx";
import type { JoinRules } from "./join-rules.ts";
import { isLoopbackHost, type ServerAddress } from "./server-address.ts";

export type Machine = "server" | "elsewhere";

interface MachineStepProps {
  rules: JoinRules;
  machine: Machine;
  onMachine: (machine: Machine) => void;
  /** This server's address as seen from elsewhere, as typed. */
  address: string;
  /** The address that the agent connects to; undefined while the typed text is not an address. */
  server: ServerAddress | undefined;
  onAddress: (address: string) => void;
}

export function MachineStep({ rules, machine, onMachine, address, server, onAddress }: MachineStepProps) {
  const isElsewhere = machine === "elsewhere" || rules.localAddress === undefined;
  return (
    <div class="stack">
      {rules.localAddress ? (
        <RadioCards
          legend="The agent's machine"
          isLegendHidden
          name="machine"
          value={machine}
          onChoose={onMachine}
          options={[
            {
              value: "elsewhere",
              title: "Another machine",
              about: "Or outside the server's container",
            },
            {
              value: "server",
              title: "The server's machine",
              about: `Through ${rules.localAddress.host}, without a proxy`,
            },
          ]}
        />
      ) : null}
      {isElsewhere ? (
        <Field
          label="Address of this server, as the agent's machine reaches it"
          name="server"
          value={address}
          autocomplete="off"
          onInput={onAddress}
          error={server ? undefined : "This is not an address. Enter a host, host:port, or a URL."}
        />
      ) : null}
      {isElsewhere && server && isLoopbackHost(server) ? (
        <Notice tone="warn">
          On every machine, {server.host} means that machine itself. If the agent runs on another machine,
          enter a name or an address that reaches this server from there.
          {rules.isLocalOnly
            ? " The server accepts connections only from its own machine, so it also needs a proxy in front of it."
            : ""}
        </Notice>
      ) : null}
    </div>
  );
}
