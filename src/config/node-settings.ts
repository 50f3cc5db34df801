import * as kinds from "./kinds.ts";
import { natsServers } from "./service-addresses.ts";
import { optional, setting } from "./setting.ts";

/** The settings of a node of a cluster. */
export const CLUSTER = {
  nats: optional("nats", "none", natsServers, "NATS servers through which the nodes of a cluster speak.", {
    secret: true,
  }),
  natsCreds: optional("nats-creds", "none", kinds.file, "Credentials file for NATS."),
  clusterKey: optional("cluster-key", "none", kinds.sealKey, "Key from which servers derive the same keys.", {
    secret: true,
  }),
  clusterName: setting(
    "cluster-name",
    "default",
    kinds.clusterName,
    "Name of the cluster; clusters with different names can share NATS servers.",
  ),
  nodeName: optional("node-name", "the host's name", kinds.name, "Name of this node of the cluster."),
};
