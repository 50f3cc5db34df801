import { hostname } from "node:os";
import { type AgentKey, createAgentKeys } from "../auth/agent-keys.ts";
import { createCallers } from "../auth/callers.ts";
import { createFailedKeys } from "../auth/failed-keys.ts";
import { readOrCreateKey } from "../auth/key-file.ts";
import { createConcurrencyLimit } from "../auth/limits/concurrency.ts";
import { createPairings } from "../auth/pairing/pairings.ts";
import { loadSeal } from "../auth/seal.ts";
import { createSecret, sharedCookieLabel, sharedKeys } from "../auth/secret.ts";
import { createSessions } from "../auth/sessions/sessions.ts";
import { addSignInCode, createUseCode } from "../auth/sessions/sign-in-code.ts";
import { createUsers } from "../auth/users.ts";
import type { Change } from "../cluster/changes.ts";
import { agentKey as agentKeyKind } from "../config/kinds.ts";
import { publicUrlOf } from "../config/public-url.ts";
import type { Config } from "../config/settings.ts";
import { agentKeyIn, sealKeyIn } from "../data-folder.ts";
import { createAuthenticate } from "../http/authenticate.ts";
import { AccessControl } from "../http/middleware/access.ts";
import { createClientAddresses, createTlsCheck } from "../http/middleware/client-address.ts";
import { createStrangerShare } from "../http/middleware/stranger-share.ts";
import type { Log } from "../log/log.ts";
import { createOwnHosts } from "../net/host.ts";
import type { Store } from "../store/store.ts";
import { storeGraceOf } from "./open-data.ts";
import type { ServerSettings } from "./settings.ts";

/** The share of requests without a right key. Their bodies may have 2 MB, and 5 s. */
const STRANGERS = { addressMax: 250, allMax: 1000, bytesMax: 32 * 1024 * 1024 };

interface Given {
  config: Config;
  log: Log;
  store: Store;
  settings: ServerSettings;
  /** No server has started on the data folder yet. */
  isFirstStart: boolean;
}

/** Functions of parts that are made after the identities. */
interface Later {
  port(): number;
  /** Ends the running requests of a user. */
  cancelUser(userId: string): void;
  /** Ends the running requests whose users may no longer make them. */
  checkUsers(): void;
  /** Disconnects the agents that connected with a key. */
  endAgentKey(keyId: string): void;
  /** Lets the agents that connected with a key follow its change. */
  agentKeyChanged(key: AgentKey): void;
  /** Closes the live views of sessions, which are named by the hashes of their cookies. */
  endSessions(hashes: readonly string[]): void;
  /** Tells the other nodes what was changed. */
  announce(change: Change): void;
}

export type Identities = Awaited<ReturnType<typeof createIdentities>>;
export type Access = ReturnType<typeof createAccess>;

/** Creates everything that tells who may come in: the keys, the users and the sessions. */
export async function createIdentities({ config, store, log, isFirstStart }: Given, later: Later) {
  const shared = sharedKeys(config);
  const graceMs = storeGraceOf(config);
  const agentKey = shared.agentKey ?? readOrCreateKey(agentKeyIn(config.data), agentKeyKind.schema);
  log.mask(agentKey);
  const agentKeys = createAgentKeys({
    main: createSecret(agentKey),
    store: store.agentKeys,
    users: store.users,
    graceMs,
    onRevoke(id) {
      later.endAgentKey(id);
      later.announce({ agentKeys: [id] });
    },
    onChange(key) {
      later.agentKeyChanged(key);
      if (key.id !== null) later.announce({ agentKeys: [key.id] });
    },
  });
  const pairings = createPairings({ store: store.pairings, agentKeys });
  const { adminKey: adminKeyText, clusterKey } = config;
  const label = clusterKey && sharedCookieLabel(clusterKey);
  const publicUrl = publicUrlOf(config);
  const sessions = createSessions({
    ...{ store: store.sessions, adminKey: adminKeyText, lastsMs: config.sessionMs, graceMs, publicUrl },
    label: () => label ?? String(later.port()),
    onEnd(hashes) {
      later.endSessions(hashes);
      later.announce({ sessions: hashes });
    },
  });
  const adminKey = createSecret(adminKeyText);
  const callers = createCallers({ adminKey, users: store.users, sessions, graceMs });
  const users = createUsers({
    users: store.users,
    seal: loadSeal({ sealKey: shared.sealKey, path: sealKeyIn(config.data) }),
    onChange: ({ user, revoked }) => {
      callers.forget(user);
      if (revoked) later.cancelUser(user);
      else later.checkUsers();
      later.announce({ users: [user], ...(revoked && { revoked: [user] }) });
    },
  });
  const signInCode = await startSignInCode({ config, store, isFirstStart });
  if (signInCode) log.mask(signInCode);
  const metricsKey = config.metricsKey === undefined ? undefined : createSecret(config.metricsKey);
  const useCode = createUseCode(store.sessions);
  const authenticate = createAuthenticate({ callers, metricsKey, useCode, publicUrl });
  return { agentKey, agentKeys, pairings, sessions, callers, users, signInCode, authenticate };
}

/** Resolves with the code of the first start. The codes of a data folder end with the process that printed them. */
async function startSignInCode({ config, store, isFirstStart }: Omit<Given, "log" | "settings">) {
  if (config.database === undefined) await store.sessions.clearCodes();
  return isFirstStart ? addSignInCode(store.sessions) : undefined;
}

/**
 * Creates the checks that each request passes before it reaches a route: its origin, and its right to come
 * from there.
 */
export function createAccess({
  config,
  log,
  settings: { values },
}: Pick<Given, "config" | "log" | "settings">) {
  const { host, allowedHosts, domains = [] } = config;
  const addressOf = createClientAddresses(config.trustProxy);
  const ownHosts = [hostname(), ...(host ? [host] : []), ...allowedHosts, ...domains];
  const publicUrl = publicUrlOf(config);
  const publicHosts = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  const accessControl = new AccessControl({
    addresses: addressOf,
    isOwnHost: createOwnHosts([...ownHosts, ...publicHosts]),
    failedKeys: createFailedKeys({ max: () => values.keyFailuresMax, elapsedMs: () => performance.now() }),
    requests: createConcurrencyLimit({ addressMax: () => values.addressRequestsMax }),
    strangers: createStrangerShare(STRANGERS),
    log,
  });
  // Who asks for the public host comes from elsewhere, by a proxy on this machine. An agent needs its key then.
  const isOwnHost = createOwnHosts(ownHosts);
  return { accessControl, addressOf, isOwnHost, isSecure: createTlsCheck(config.trustProxy) };
}
