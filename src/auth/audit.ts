import type { AuditAction } from "../audit-actions.ts";
import { asAppError, CommandError, orFail } from "../errors.ts";
import type { AuditEntry, AuditStore } from "../store/store.ts";
import { listAudit } from "./audit-list.ts";

/** Describes one change. A field that is left out is stored as null. */
export type AuditNote = Pick<AuditEntry, "actor"> & { action: AuditAction } & Partial<
    Omit<AuditEntry, "at" | "action">
  >;

interface AuditOptions {
  audit: AuditStore;
  now?: () => number;
}

export type Audit = ReturnType<typeof createAudit>;

export function createAudit({ audit, now = Date.now }: AuditOptions) {
  /** Writes one row. Throws an `AppError` audit_failed if that fails; the change must then not be made. */
  async function note(note: AuditNote): Promise<void> {
    const nothing = { target: null, detail: null, address: null, requestId: null };
    await orFail("audit_failed", () => audit.add({ at: now(), ...nothing, ...note }));
  }

  return {
    note,
    /** Returns entries, newest first; see `listAudit`. */
    list: (page: Parameters<typeof listAudit>[1]) => listAudit(audit, page),
    /**
     * Writes the row, then makes the change, so that every change has its row. If the row cannot be written,
     * the change is not made. If the change fails, or returns false because it found nothing to change, a
     * second row has `failed` in its detail. Only a crash between the two can leave a row without its change.
     */
    async change<T>(row: AuditNote, change: () => Promise<T>): Promise<T> {
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
  return asAppError(error).code;
}
