import { RadioCards } from "../../../components/radio-cards.tsx";
import { text } from "../../../texts/texts.ts";
import { AddressField } from "./address-field.tsx";
import type { JoinRules } from "./join-rules.ts";
import type { ServerAddress } from "./server-address.ts";

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
          legend={text("join.step2.legend")}
          isLegendHidden
          name="machine"
          value={machine}
          onChoose={onMachine}
          options={[
            {
              value: "elsewhere",
              title: text("join.machine.elsewhere"),
              about: text("join.machine.elsewhere.about"),
            },
            {
              value: "server",
              title: text(rules.isCluster ? "join.machine.node" : "join.machine.server"),
              about: text("join.machine.server.about", { host: rules.localAddress.host }),
            },
          ]}
        />
      ) : null}
      {isElsewhere ? (
        <AddressField
          address={address}
          server={server}
          isCluster={rules.isCluster}
          isLocalOnly={rules.isLocalOnly}
          onAddress={onAddress}
        />
      ) : null}
    </div>
  );
}
