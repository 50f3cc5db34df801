import { Notice } from "../../../components/card.tsx";
import { Field } from "../../../components/field.tsx";
import { publicUrl } from "../../../state/server-url.ts";
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
        label="Address of this server, as the agent's machine reaches it"
        name="server"
        value={address}
        autocomplete="off"
        onInput={onAddress}
        hint={isCluster && publicUrl() === undefined ? CLUSTER_HINT : undefined}
        error={isWrong ? "This is not an address. Enter a host, host:port, or a URL." : undefined}
      />
      {server && isLoopbackHost(server) ? (
        <Notice tone="warn">
          On every machine, {server.host} means that machine itself. If the agent runs on another machine,
          enter a name or an address that reaches this server from there.
          {isLocalOnly
            ? " The server accepts connections only from its own machine, so it also needs a proxy in front of it."
            : ""}
        </Notice>
      ) : null}
    </>
  );
}

const CLUSTER_HINT =
  "Enter the address that leads to every node, such as the load balancer's, so that the agent finds another node when one stops. If the nodes are started with --public-url, it is filled in here.";
