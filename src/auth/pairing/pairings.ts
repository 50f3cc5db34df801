import { AppError, orFail } from "../../errors.ts";
import type {
  NewAgentKey,
  PairingFields,
  PairingStore,
  StoredAgentKey,
  StoredPairing,
} from "../../store/store.ts";
import { type AgentKeys, MAIN_KEY_NAME } from "../agent-keys.ts";
import type { Audit, AuditNote } from "../audit.ts";
import { hashSecret } from "../secret.ts";
import { newCode, readCode, showCode } from "./code.ts";

const VALID_MS = 600_000;
/** The most open codes: each is one more that a guess may hit. */
const OPEN_MAX = 100;
/** How often a key is added anew when its name is taken, or its owner deleted, meanwhile. */
const TRIES_MAX = 5;
const NAME_LENGTH_MAX = 64;
const DEFAULT_NAME = "agent";

const FULL_HINT = `There may be ${OPEN_MAX} unused codes. Cancel one, or wait: each expires after ten minutes.`;
const WRONG_HINT =
  "A code works once, within ten minutes. Make a new one on the server's machine with chatgpt-api-server agents pair.";

interface PairingsOptions {
  store: PairingStore;
  agentKeys: Pick<AgentKeys, "add" | "list" | "checkOwner">;
  now?: () => number;
}

/** A pairing as the administrator asks for it. */
export interface NewPairing extends Pick<StoredPairing, "id" | "name"> {
  given: PairingFields;
}

export type Pairings = ReturnType<typeof createPairings>;

/** Makes codes that give an agent a key of its own once. The key is made when its code is redeemed. */
export function createPairings({ store, agentKeys, now = Date.now }: PairingsOptions) {
  const namesInUse = async () => {
    const active = (await agentKeys.list()).filter(({ revokedAt }) => revokedAt === null);
    return new Set([MAIN_KEY_NAME, ...active.map(({ name }) => name)]);
  };

  /** Adds the key of a pairing and deletes the pairing. Throws pairing_code_wrong if another call was first. */
  async function addOnce(hash: string, { id, name: wanted, given }: StoredPairing, by: Redeemer) {
    const name = freeName(wanted ?? by.suggested ?? DEFAULT_NAME, await namesInUse());
    const row = { ...by.note, action: "pairing.redeem" as const, target: id, detail: { name } };
    const save = (key: NewAgentKey) => store.redeem(hash, key);
    const key = await by.audit.change(row, () => agentKeys.add({ ...given, id, name }, save));
    if (key === false) throw wrongCode();
    return { key, name };
  }

  async function addKey(hash: string, pairing: StoredPairing, by: Redeemer) {
    for (let tries = 1; ; tries++) {
      try {
        return await addOnce(hash, pairing, by);
      } catch (error) {
        if (!isMendable(error) || tries === TRIES_MAX) throw error;
        if (error.code === "user_unknown") pairing.given.ownerId = null;
      }
    }
  }

  return {
    /**
     * Throws agent_key_name_taken, user_unknown or pairings_full. The code, such as `7F4K-Q2PX`, is known only now: the
     * store keeps its hash.
     */
    async make({ id, name, given }: NewPairing): Promise<{ code: string; expiresAt: number }> {
      await agentKeys.checkOwner(given);
      if (name !== null && (await namesInUse()).has(name))
        throw new AppError("agent_key_name_taken", {
          hint: "Choose another name, or revoke that key first.",
        });
      const code = newCode();
      const expiresAt = now() + VALID_MS;
      const pairing = { id, name, given, expiresAt, hash: hashSecret(code) };
      if (!(await store.add(pairing, OPEN_MAX))) throw new AppError("pairings_full", { hint: FULL_HINT });
      return { code: showCode(code), expiresAt };
    },

    /** Returns the open pairings in the order in which they were made. */
    list: () => store.list(),

    /** False when there is no such open pairing. */
    cancel: (id: string) => store.cancel(id),

    /**
     * Exchanges a code for a key, which is written to the audit. The key has the administrator's name, else the one
     * that the agent suggests, with a number if it is taken. An owner who was deleted since is left out. Throws
     * pairing_code_wrong for a code that is wrong, used or expired; the answer does not tell which.
     */
    async redeem(text: string, by: Redeemer): Promise<{ key: string; name: string }> {
      const code = readCode(text);
      const hash = code === undefined ? undefined : hashSecret(code);
      const pairing = hash && (await orFail("verify_failed", () => store.find(hash)));
      if (!pairing) throw wrongCode();
      return await addKey(hash, pairing, by);
    },
  };
}

/** Whether another name or no owner may help. */
const isMendable = (error: unknown): error is AppError =>
  error instanceof AppError && (error.code === "agent_key_name_taken" || error.code === "user_unknown");

interface Redeemer {
  /** The name that the agent would like its key to have. */
  suggested: string | undefined;
  audit: Pick<Audit, "change">;
  /** Who redeems the code. */
  note: Pick<AuditNote, "actor" | "address" | "requestId">;
}

const wrongCode = () => new AppError("pairing_code_wrong", { hint: WRONG_HINT });

/** Returns the name or, if it is taken, the first free one of `name 2`, `name 3` and so on. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  for (let nth = 1; ; nth++) {
    const end = nth === 1 ? "" : ` ${nth}`;
    const found = name.slice(0, NAME_LENGTH_MAX - end.length).toWellFormed() + end;
    if (!taken.has(found)) return found;
  }
}

/** Returns the fields of a key as a pairing keeps them. */
export function pairingFields({
  models = null,
  priority = null,
  weight = null,
  tags = null,
  ownerId = null,
  showsName = false,
}: Partial<StoredAgentKey>): PairingFields {
  return { models, priority, weight, tags, ownerId, showsName };
}

/** Returns what is known about a pairing, as it is written in JSON. */
export function describePairing({ id, name, given, expiresAt }: StoredPairing) {
  const { models, priority, weight, tags, ownerId, showsName } = given;
  return {
    ...{ id, name, models, priority, weight, tags, owner_id: ownerId, shows_name: showsName },
    expires_at: new Date(expiresAt).toISOString(),
  };
}
