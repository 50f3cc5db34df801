import { z } from "zod";
import type { Audit } from "../../auth/audit.ts";
import { AppError } from "../../errors.ts";
import { fieldPath } from "../../json/field-path.ts";
import { lostKeyPath } from "../../lost-key.ts";
import { printable } from "../../printable.ts";
import type { Changeable } from "../../settings/changeable.ts";
import { CHANGEABLE, type ChangeableName } from "../../settings/declarations.ts";
import type { Settings } from "../../settings/settings.ts";
import { namesEtag } from "../etag.ts";
import { ok, reply, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import { auditNote } from "./audit.ts";
import { SettingsAnswer } from "./schema.ts";

interface CertificateState {
  names: string;
  expiresAt: number;
  renewal: { renewAt: number | undefined; failure: string | undefined } | undefined;
}

type Shown = Pick<SettingsAnswer["settings"][string], "value" | "from" | "label" | "about">;

interface SettingsDeps {
  audit: Audit;
  /** Those of the command line and the environment, as texts. */
  shown: Readonly<Record<string, Shown>>;
  settings: Pick<Settings<typeof CHANGEABLE>, "change" | "describe" | "revision">;
  /** Called after a change. */
  announce(): void;
  version: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** Returns the certificate in use, with times in ms since 1970; undefined without TLS. */
  certificate(): CertificateState | undefined;
}

/** A list of a thousand aliases with long names. Longer values are refused one by one. */
const BODY_BYTES_MAX = 1024 ** 2;

type Fields = { [Name in ChangeableName]: z.ZodNullable<(typeof CHANGEABLE)[Name]["schema"]> };

function fields(): Fields {
  const entries = Object.entries<{ schema: z.ZodType; about: string }>(CHANGEABLE);
  const described = entries.map(([name, { schema, about }]) => {
    return [name, schema.nullable().describe(`${about} Null takes the change back.`)];
  });
  return Object.fromEntries(described);
}

const ChangeSettingsBody = z
  .strictObject(fields(), {
    error: ({ code, keys }) => {
      if (code !== "unrecognized_keys") return undefined;
      const name = printable(String((keys as string[])[0])).slice(0, 64);
      return `must name only settings that can be changed while the server runs, unlike ${name}`;
    },
  })
  .partial();

const EXAMPLE: SettingsAnswer = {
  version: SAMPLE.version,
  started_at: SAMPLE.time,
  settings: {
    queueWaitMs: {
      ...{ value: "5m", from: "database", label: "--queue-wait" },
      about: "How long a request waits for a free agent.",
      ...{ changeable: true, current: 300_000, default: 120_000, changed_at: SAMPLE.time },
    },
    port: {
      ...{ value: "8080", from: "default", label: "--port", changeable: false },
      about: "Port to listen on; 0 picks a free one.",
    },
  },
};

const ROUTES = {
  readSettings: route("GET /admin/settings", {
    access: "admin",
    summary: "Read the settings in force",
    description:
      "Secrets are masked. The `ETag` changes with the settings that were changed while the server ran.",
    answers: ok("Each setting by its name, in the order of the documentation.", SettingsAnswer, EXAMPLE, [
      "etag",
    ]),
  }),
  changeSettings: route("PATCH /admin/settings", {
    access: "adminOrBody",
    summary: "Change settings while the server runs",
    description:
      "All of them are changed, or none. Missing settings stay as they are, null takes a change back, and a setting that cannot be changed while the server runs is refused. With the `ETag` of an earlier answer in `If-Match`, nothing is changed if someone else has changed a setting since (`settings_changed`). Without it, the last change of a setting counts.",
    body: {
      schema: ChangeSettingsBody,
      example: { modelAliases: { fast: SAMPLE.model }, queueWaitMs: 300_000, usageDays: null },
      bytesMax: BODY_BYTES_MAX,
    },
    answers: ok("The settings in force, as `GET` returns them.", SettingsAnswer, EXAMPLE, ["etag"]),
    errors: ["audit_failed", "settings_changed", "settings_change_failed"],
  }),
};

/** The settings, of which some can be changed while the server runs. */
export const settingsRoutes = resource("Server", ROUTES).handledBy((deps: SettingsDeps) => {
  const { audit, settings, announce } = deps;
  const answer = () => reply(200, describe(deps), { etag: etagOf(settings) });
  return {
    readSettings: answer,

    async changeSettings({ exchange, body, json }) {
      refuseLostName(json);
      const known = exchange.request.headers.get("if-match");
      await settings.change(body, {
        mayChange: (revision) => known === null || namesEtag(known, etagOf({ revision })),
        record: (detail, make) =>
          audit.change(auditNote(exchange, "settings.change", null, detail), async () => {
            await make();
            announce();
          }),
      });
      return answer();
    },
  };
});

/** The body as the schema read it has no `__proto__` any more. */
function refuseLostName(json: unknown): void {
  const lost = lostKeyPath(json);
  if (!lost) return;
  const param = fieldPath(lost);
  throw new AppError("body_invalid", { param, hint: `\`${param}\` is not valid: give it another name.` });
}

const etagOf = ({ revision }: { revision: string }) => `"${revision}"`;

function describe({ shown, settings, version, startedAt, certificate }: SettingsDeps): SettingsAnswer {
  const others = Object.entries(CHANGEABLE).filter(([name]) => !Object.hasOwn(shown, name));
  const sourceOf = ({ flags = [] }: Pick<Changeable<unknown>, "flags">) =>
    flags.map((flag) => shown[flag]?.from).find((from) => from !== undefined && from !== "default");
  const rows: [string, Shown][] = [
    ...Object.entries(shown),
    ...others.map(([name, setting]): [string, Shown] => {
      const { label, about } = setting;
      return [name, { value: "", from: sourceOf(setting) ?? "default", label, about }];
    }),
  ];
  return {
    version,
    started_at: new Date(startedAt).toISOString(),
    ...describeCertificate(certificate()),
    settings: Object.fromEntries(rows.map(([name, row]) => [name, describeSetting(name, row, settings)])),
  };
}

function describeSetting(name: string, row: Shown, settings: SettingsDeps["settings"]) {
  const state = settings.describe(name);
  if (!state) return { ...row, changeable: false };
  const { text, value, changedAt } = state;
  return {
    ...{ ...row, value: text, ...(changedAt !== null && { from: "database" }) },
    ...{ changeable: true, current: value, default: state.default },
    changed_at: changedAt === null ? null : new Date(changedAt).toISOString(),
  };
}

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
