import { z } from "zod";
import { agentPriority, agentTags, agentWeight } from "../../protocol/preference.ts";
import { namedObject, text, time } from "../values.ts";
import { MODELS_MAX, modelNames, shownText, userText } from "./schema.ts";

/** The fields that say how agents with a key are chosen. Null removes a value. */
const KEY_PREFERENCE = {
  priority: agentPriority
    .nullish()
    .describe(
      "Agents with a higher priority are used first. It replaces the agent's own. Null leaves it to the agent.",
    ),
  weight: agentWeight
    .nullish()
    .describe(
      "The share among agents of the same priority. It replaces the agent's own. Null leaves it to the agent.",
    ),
  tags: agentTags
    .nullish()
    .describe(
      "The tags that agents with this key may have. They have all of them unless they name some. Null means none.",
    ),
  owner_id: userText
    .nullish()
    .describe("The id of the user whose requests come first on agents with this key."),
  shows_name: z.boolean().nullish().describe("Whether callers see the name of the agent that answers."),
};

export const AddAgentKeyBody = z.object({
  name: shownText(64).describe("A name for people to read. Two valid keys cannot have the same name."),
  models: z
    .array(shownText(256))
    .min(1)
    .max(MODELS_MAX)
    .nullish()
    .describe("The models that agents with this key may offer. All of them if missing or null."),
  ...KEY_PREFERENCE,
});

/** The body that makes a pairing code: what its key will get. */
export const AddPairingBody = AddAgentKeyBody.extend({
  name: shownText(64)
    .nullish()
    .describe("A name for the key. Without one, the agent may suggest it. A number is added if it is taken."),
});

/** The body that exchanges a pairing code for a key. */
export const PairBody = z.strictObject({
  code: text.min(1).max(64).describe("The code. Case, hyphens and blanks do not matter."),
  name: shownText(64).nullish().describe("The name for the key, if the administrator gave none."),
});

/** The body of a change. Null removes a value. An unknown field is refused. */
export const ChangeAgentKeyBody = z.strictObject(KEY_PREFERENCE);

const agentKey = {
  ...{ id: text, name: text, models: modelNames.nullable() },
  ...{ priority: z.int().nullable(), weight: z.number().nullable(), tags: z.array(text).min(1).nullable() },
  ...{ owner_id: text.nullable(), shows_name: z.boolean() },
};

export const AddedAgentKey = namedObject("AddedAgentKey", { ...agentKey, key: text });

const pairing = { ...agentKey, name: text.nullable(), expires_at: time };
const PairingShape = z.strictObject(pairing);

export const AddedPairing = namedObject("AddedPairing", { ...pairing, code: text });

export const PairingList = namedObject("PairingList", { pairings: z.array(PairingShape) });

export const PairingCancelled = namedObject("PairingCancelled", { id: text, cancelled: z.literal(true) });

export const PairedAgent = namedObject("PairedAgent", { name: text, key: text });
export type PairedAgent = z.output<typeof PairedAgent>;

const AgentKeyShape = z.strictObject({ ...agentKey, created_at: time, revoked_at: time.nullable() });
export const AgentKeyAnswer = AgentKeyShape.meta({ id: "AgentKey" });

export const AgentKeyList = namedObject("AgentKeyList", { keys: z.array(AgentKeyShape) });

export const AgentKeyRevoked = namedObject("AgentKeyRevoked", {
  id: text,
  name: text,
  revoked: z.literal(true),
});
