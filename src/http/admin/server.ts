import type { Audit } from "../../auth/audit.ts";
import { okAs, resource, route } from "../route.ts";
import { auditNote } from "./audit.ts";

interface ServerDeps {
  audit: Audit;
  /** Milliseconds since 1970. */
  now: () => number;
  backups: {
    /** Throws an `AppError` backup_external if the data is in PostgreSQL. */
    requireData(): void;
    /** Makes a backup and returns its archive. Throws an `AppError`: backup_external, backup_busy, backup_failed. */
    take(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  };
}

const ROUTES = {
  takeBackup: route("GET /admin/backup", {
    access: "admin",
    summary: "Download a backup of the server's data, with its keys",
    description:
      "The archive that the command `backup` writes and `restore` reads. Only one can be made at a time. The audit records each one. A server with its data in PostgreSQL refuses (`backup_external`): back that up with `pg_dump`.",
    answers: okAs(
      "application/x-tar",
      "The archive. Its name contains the date.",
      { description: "A tar archive.", example: "backup.json…" },
      ["content-disposition"],
    ),
    errors: ["backup_external", "backup_busy", "backup_failed", "audit_failed"],
  }),
};

/** The server itself: a backup of its data. */
export const serverRoutes = resource("Server", ROUTES).handledBy(({ audit, now, backups }: ServerDeps) => ({
  async takeBackup({ exchange }) {
    const name = `chatgpt-api-server-${new Date(now()).toISOString().slice(0, 10)}.tar`;
    const headers = {
      "content-type": "application/x-tar",
      "content-disposition": `attachment; filename="${name}"`,
    };
    const { request, server } = exchange;
    backups.requireData();
    if (request.method === "HEAD") return new Response(null, { headers });
    // The first byte may take longer than a quiet connection is kept.
    server.timeout(request, 0);
    const archive = await audit.change(auditNote(exchange, "backup", name), () =>
      backups.take(request.signal),
    );
    return new Response(archive, { headers });
  },
}));
