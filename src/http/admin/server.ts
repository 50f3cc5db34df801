import type { Audit } from "../../auth/audit.ts";
import { ok, okAs, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import { auditNote } from "./audit.ts";
import { SettingsAnswer } from "./schema.ts";

interface CertificateState {
  names: string;
  expiresAt: number;
  renewal: { renewAt: number | undefined; failure: string | undefined } | undefined;
}

interface ServerDeps {
  audit: Audit;
  settings: SettingsAnswer["settings"];
  version: string;
  /** Milliseconds since 1970, as `now` returns. */
  startedAt: number;
  now: () => number;
  /** Returns the certificate in use, with times in ms since 1970; undefined without TLS. */
  certificate(): CertificateState | undefined;
  backups: {
    /** Throws an `AppError` backup_external if the data is in PostgreSQL. */
    requireData(): void;
    /** Makes a backup and returns its archive. Throws an `AppError`: backup_external, backup_busy, backup_failed. */
    take(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  };
}

const ROUTES = {
  readSettings: route("GET /admin/settings", {
    access: "admin",
    summary: "Read the settings in force",
    description:
      "Secrets are masked. Settings can only be changed on the command line or in the environment.",
    answers: ok("Each setting by its name, in the order of the documentation.", SettingsAnswer, {
      version: SAMPLE.version,
      started_at: SAMPLE.time,
      settings: {
        queueWaitMs: {
          ...{ value: "2m", from: "default", label: "--queue-wait" },
          about: "How long a request waits for a free agent.",
        },
      },
    }),
  }),
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

/** The server itself: its settings, and a backup of its data. */
export const serverRoutes = resource("Server", ROUTES).handledBy(
  ({ audit, settings, version, startedAt, now, backups, certificate }: ServerDeps) => ({
    readSettings: () => ({
      version,
      started_at: new Date(startedAt).toISOString(),
      ...describeCertificate(certificate()),
      settings,
    }),

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
  }),
);

function describeCertificate(state: CertificateState | undefined): Pick<SettingsAnswer, "certificate"> {
  if (state === undefined) return {};
  const { names, expiresAt, renewal } = state;
  const timeOf = (ms: number) => new Date(ms).toISOString();
  return {
    certificate: {
      names,
      expires_at: timeOf(expiresAt),
      renews_at: renewal?.renewAt === undefined ? null : timeOf(renewal.renewAt),
      failure: renewal?.failure ?? null,
    },
  };
}
