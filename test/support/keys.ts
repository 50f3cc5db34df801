/** The keys of servers that tests start. */
export const CLUSTER_KEY = "cluster-key-of-the-tests-0123456789";
export const AGENT_KEY = "agent-key-of-the-tests-0123456789abcdef";
