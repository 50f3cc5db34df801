/** The actions that the audit records: the thing that is changed, and what is done to it. */
export const AUDIT_ACTIONS = [
  "agent.disconnect",
  "agent.reset",
  "agent.update",
  "agent_key.add",
  "agent_key.change",
  "agent_key.revoke",
  "backup",
  "pairing.add",
  "pairing.cancel",
  "pairing.redeem",
  "restore",
  "session.begin",
  "session.end",
  "settings.change",
  "user.add",
  "user.change",
  "user.delete",
  "user.disable",
  "user.enable",
  "user.import",
  "user.rotate",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Who makes a change; see `AuditEntry`. */
export const AUDIT_ACTORS = ["admin", "cli", "agent", "user"] as const;

export type AuditActor = (typeof AUDIT_ACTORS)[number];
