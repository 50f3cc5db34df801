import { Notice } from "../../../components/card.tsx";
import { Field } from "../../../components/field.tsx";
import { RadioCards } from "../../../components/radio-cards.tsx";
import { isLoopbackHost, type JoinRules, type ServerAddress } from "./server-address.ts";

export type Place = "own" | "elsewhere";

interface MachineStepProps {
  rules: JoinRules;
  place: Place;
  onPlace: (place: Place) => void;
  /** Of this server from elsewhere, as it is typed. */
  address: string;
  /** What the agent dials; undefined while what is typed is no address. */
  server: ServerAddress | undefined;
  onAddress: (address: string) => void;
}

export function MachineStep({ rules, place, onPlace, address, server, onAddress }: MachineStepProps) {
  const isElsewhere = place === "elsewhere" || rules.own === undefined;
  return (
    <div class="stack">
      {rules.own ? (
        <RadioCards
          legend="Its machine"
          isLegendHidden
          name="place"
          value={place}
          onChoose={onPlace}
          options={[
            {
              value: "elsewhere",
              title: "Another machine",
              about: "Or outside of the server's container",
            },
            { value: "own", title: "The server's own", about: `By ${rules.own.host}, without a proxy` },
          ]}
        />
      ) : null}
      {isElsewhere ? (
        <Field
          label="This server, as that machine reaches it"
          name="server"
          value={address}
          autocomplete="off"
          onInput={onAddress}
          error={server ? undefined : "This is no address. Give a host, host:port, or a URL."}
        />
      ) : null}
      {isElsewhere && server && isLoopbackHost(server) ? (
        <Notice tone="warn">
          {server.host} is, on any machine, that machine itself. On another one put in the name or the address
          under which it reaches this server
          {rules.isLocalOnly
            ? "; the server listens on its own machine only, so that needs a proxy before it"
            : ""}
          .
        </Notice>
      ) : null}
    </div>
  );
}
