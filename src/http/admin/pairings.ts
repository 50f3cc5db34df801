import { agentKeyChanges, agentKeyFields } from "../../auth/agent-keys.ts";
import type { Audit } from "../../auth/audit.ts";
import type { PairingAttempts } from "../../auth/pairing/attempts.ts";
import { describePairing, type Pairings, pairingFields } from "../../auth/pairing/pairings.ts";
import { AppError } from "../../errors.ts";
import { withoutNulls } from "../../user-attributes.ts";
import { ok, okAs, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import {
  AddedPairing,
  AddPairingBody,
  PairBody,
  PairedAgent,
  PairingCancelled,
  PairingList,
} from "./agent-key-schema.ts";
import { auditNote } from "./audit.ts";
import { NO_FIELDS } from "./schema.ts";

interface PairingDeps {
  pairings: Pairings;
  attempts: PairingAttempts;
  audit: Audit;
  newId: () => string;
  /** The origin at which agents reach the server, if it is known. */
  publicUrl: string | undefined;
}

const PAIRING = {
  ...{
    id: "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    name: "gpu box",
    models: null,
    priority: 10,
    weight: null,
  },
  ...{ tags: ["home"], owner_id: null, shows_name: false, expires_at: SAMPLE.time },
};

const linkText = (link: string, note = "") =>
  [
    "This link connects an agent to this server, once and within ten minutes of its making.",
    `On the machine with the models, run: chatgpt-api-server agent '${link}'`,
    note,
  ].join("\n");

const ANY_LINK = linkText("<this whole link>");

/** Names the server as agents reach it, which may not be the address that the browser has used. */
const publicLink = (publicUrl: string) =>
  linkText(`${publicUrl}/pair#<code>`, "<code> is what follows the # in the address of this page.\n");

const ROUTES = {
  addPairing: route("POST /admin/agents/pairings", {
    access: "adminOrBody",
    summary: "Make a pairing code",
    description:
      "An agent exchanges it for a key of its own, once and within ten minutes. The key is made then, with the `id` of the pairing and what this body says. The code is shown only in this answer.",
    body: { schema: AddPairingBody, example: { name: "gpu box", priority: 10, tags: ["home"] } },
    answers: ok("The code.", AddedPairing, { ...PAIRING, code: "7F4K-Q2PX" }),
    errors: ["audit_failed", "agent_key_name_taken", "pairings_full", "user_unknown", "verify_failed"],
  }),
  listPairings: route("GET /admin/agents/pairings", {
    access: "adminOrQuery",
    summary: "List the pairing codes that may still be used, without the codes themselves",
    answers: ok("The pairings.", PairingList, { pairings: [PAIRING] }),
  }),
  cancelPairing: route("DELETE /admin/agents/pairings/:id", {
    access: "adminOrBody",
    summary: "Cancel a pairing code",
    description: "A code that was used cannot be cancelled: revoke the key with its `id`.",
    params: { id: "The pairing's id." },
    body: NO_FIELDS,
    answers: ok("Cancelled.", PairingCancelled, { id: PAIRING.id, cancelled: true }),
    errors: ["audit_failed", "pairing_unknown"],
  }),
  pairAgent: route("POST /agents/pair", {
    access: "code",
    summary: "Exchange a pairing code for an agent key",
    description:
      "A code that is wrong, used or expired gets the same answer. An address may send 10 wrong codes in a minute, and all together 100.",
    body: { schema: PairBody, example: { code: "7F4K-Q2PX", name: "gpu box" }, bytesMax: 4096 },
    answers: ok("The key.", PairedAgent, { name: "gpu box", key: "agent-3Jm0…" }),
    errors: ["audit_failed"],
  }),
  explainPairing: route("GET /pair", {
    access: "none",
    summary: "Say what the link of a pairing code is for",
    description: "The code is in the fragment of the link, which browsers do not send.",
    answers: okAs("text/plain", "What to do with the link.", { description: "A text.", example: ANY_LINK }),
  }),
};

/** The codes that give agents keys of their own, once each. */
export const pairingRoutes = resource("Agents", ROUTES).handledBy(
  ({ pairings, attempts, audit, newId, publicUrl }: PairingDeps) => ({
    async addPairing({ exchange, body: { name = null, models = null, ...fields } }) {
      const id = newId();
      const changes = withoutNulls(agentKeyChanges(fields));
      const given = pairingFields({ models, ...changes });
      const note = auditNote(exchange, "pairing.add", id, { name, models, ...agentKeyFields(changes) });
      const { code, expiresAt } = await audit.change(note, () => pairings.make({ id, name, given }));
      return { ...describePairing({ id, name, given, expiresAt }), code };
    },

    async listPairings() {
      return { pairings: (await pairings.list()).map(describePairing) };
    },

    async cancelPairing({ exchange, params: { id } }) {
      const known = (await pairings.list()).find((pairing) => pairing.id === id);
      if (!known) throw new AppError("pairing_unknown");
      const note = auditNote(exchange, "pairing.cancel", id, { name: known.name });
      if (!(await audit.change(note, () => pairings.cancel(id)))) throw new AppError("pairing_unknown");
      return { id, cancelled: true };
    },

    async pairAgent({ exchange, body: { code, name } }) {
      const { address = null, requestId } = exchange;
      const takeBack = attempts.begin(exchange.address);
      const note = { actor: "agent", address, requestId } as const;
      const paired = await pairings.redeem(code, { suggested: name ?? undefined, audit, note });
      takeBack();
      return paired;
    },

    explainPairing: () =>
      new Response(publicUrl === undefined ? ANY_LINK : publicLink(publicUrl), {
        headers: { "content-type": "text/plain; charset=utf-8" },
      }),
  }),
);
