import { Notice } from "../../../components/card.tsx";
import { Field } from "../../../components/field.tsx";
import { publicUrl } from "../../../state/server-url.ts";
import { text } from "../../../texts/texts.ts";
import { isLoopbackHost, type ServerAddress } from "./server-address.ts";

interface AddressFieldProps {
  /** This server's address as seen from elsewhere, as typed. */
  address: string;
  /** The same, read; undefined while it is not an address. */
  server: ServerAddress | undefined;
  isCluster: boolean;
  /** Whether the server listens on its own machine only. */
  isLocalOnly?: boolean;
  onAddress: (address: string) => void;
}

/** The form field `server`: where the agent's machine reaches this server, with what may be wrong about it. */
export function AddressField({ address, server, isCluster, isLocalOnly, onAddress }: AddressFieldProps) {
  const isWrong = server === undefined && address.trim() !== "";
  return (
    <>
      <Field
        label={text("join.address")}
        name="server"
        value={address}
        autocomplete="off"
        onInput={onAddress}
        hint={isCluster && publicUrl() === undefined ? text("join.address.cluster") : undefined}
        error={isWrong ? text("join.address.fault") : undefined}
      />
      {server && isLoopbackHost(server) ? (
        <Notice tone="warn">
          {text("join.address.loopback", { host: server.host })}{" "}
          {isLocalOnly ? text("join.address.localOnly") : ""}
        </Notice>
      ) : null}
    </>
  );
}
