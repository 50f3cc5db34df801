import { RadioCards } from "../../../components/radio-cards.tsx";
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
              title: rules.isCluster ? "The machine of this node" : "The server's machine",
              about: `Through ${rules.localAddress.host}, without a proxy`,
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
