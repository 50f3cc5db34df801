import {
  type ConnectionOptions,
  type NatsConnection,
  NatsConnectionImpl,
  setTransportFactory,
} from "@nats-io/transport-node";
import { NodeTransport, nodeResolveHost } from "@nats-io/transport-node/lib/node_transport.js";
import { freeBytes } from "../../protocol/bytes/free-bytes.ts";

/**
 * Connects as the client of NATS does, but frees what the socket has read once the client has taken the messages from it: up to
 * 512 KB at a time, which would otherwise wait for the garbage collector. So a message may be used only until the
 * function that takes it returns.
 */
export function connect(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new FreeingTransport(), dnsResolveFn: nodeResolveHost });
  return NatsConnectionImpl.connect(options);
}

class FreeingTransport extends NodeTransport {
  override async *iterate(): AsyncIterableIterator<Uint8Array> {
    for await (const bytes of super.iterate()) {
      // The client asks for more when it has read all of these.
      yield bytes;
      freeBytes(bytes);
    }
  }
}
