import { AppError, CommandError } from "../errors.ts";
import type { AuditEntry, AuditStore } from "../store/store.ts";

/** Describes one change. `detail` has names and numbers, never a secret. */
export interface AuditNote {
  actor: "admin" | "cli";
  /** The kind of change, such as `user.add`. */
  action: string;
  /** The id of what was changed. */
  target?: string | null;
  detail?: Record<string, unknown> | null;
  address?: string | null;
  requestId?: string | null;
}

export interface Audit {
  /** Writes one row. Throws an `AppError` audit_failed if that fails; the change must then not be made. */
  note(note: AuditNote): Promise<void>;
  /**
   * Writes the row, then makes the change, so that every change has its row. If the row cannot be written,
   * the change is not made. If the change fails, or returns false because it found nothing to change, a
   * second row has `failed` in its detail. Only a crash between the two can leave a row without its change.
   */
  change<T>(note: AuditNote, change: () => Promise<T>): Promise<T>;
  /** Returns entries, newest first; see `AuditStore`. */
  list: AuditStore["list"];
}

interface AuditOptions {
  audit: AuditStore;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export function createAudit({ audit, now = Date.now }: AuditOptions): Audit {
  async function note({
    actor,
    action,
    target = null,
    detail = null,
    address = null,
    requestId = null,
  }: AuditNote) {
    const entry: AuditEntry = { at: now(), actor, action, target, detail, address, requestId };
    try {
      await audit.add(entry);
    } catch (cause) {
      throw new AppError("audit_failed", { cause });
    }
  }

  return {
    note,
    list: (page) => audit.list(page),
    async change(row, change) {
      await note(row);
      const failed = (why: string) => note({ ...row, detail: { ...row.detail, failed: why } });
      try {
        const result = await change();
        if (result === false) await failed("not found");
        return result;
      } catch (error) {
        // The caller gets the error of the change, even if the second row cannot be written.
        await failed(reasonOf(error)).catch(() => {});
        throw error;
      }
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof CommandError) return "refused";
  return error instanceof AppError ? error.code : "internal";
}
