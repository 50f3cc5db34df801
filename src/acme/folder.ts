import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CommandError } from "../errors.ts";
import { makePrivate, syncFolder } from "../files.ts";
import { parseBoundedJson } from "../json/parse.ts";
import { fileErrorText } from "../system-error.ts";
import type { OrderedCertificate } from "./order.ts";

/** Keeps a server that starts again from asking the CA too often. Times are in ms since 1970. */
const State = z.object({
  /** When orders were begun within the last hour. */
  tries: z.array(z.number()).max(100).default([]),
  /** The CA wants no order before. */
  notBefore: z.number().default(0),
  /** When the certificate in the folder was ordered. */
  orderedAt: z.number().default(0),
  /** Why the last order failed; undefined if it did not. */
  failure: z.string().max(4096).optional(),
});
export type OrderState = z.output<typeof State>;

/** The files of one CA: the account's key, the certificate, and the state of its orders. */
export type AcmeFolder = ReturnType<typeof openAcmeFolder>;

/**
 * Opens the folder of a CA's directory in `parent`, and creates it with mode 700. Its files have mode 600. Two CAs share
 * nothing, so that a change from staging to production orders anew. Throws a `CommandError` if files cannot be used.
 */
export function openAcmeFolder(parent: string, directory: string) {
  const folder = join(parent, folderNameOf(directory));
  const paths = {
    account: join(folder, "account.key"),
    certificate: join(folder, "certificate.pem"),
    state: join(folder, "state.json"),
  };
  orRefuse(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  const write = (path: string, text: string) => orRefuse(path, () => replaceFile(folder, path, text));
  return {
    paths,
    /** Returns the account's key. Creates it at the first call. */
    accountKey(): KeyObject {
      const kept = readOrUndefined(paths.account);
      if (kept === undefined) {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        write(paths.account, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
        return privateKey;
      }
      makePrivate(paths.account);
      const key = keyOf(kept);
      if (key?.asymmetricKeyDetails?.namedCurve !== "prime256v1")
        throw new CommandError(
          `The file ${paths.account} does not contain a P-256 key. Restore it, or delete it to register a new account.`,
        );
      return key;
    },
    /** Returns the kept certificate; undefined if there is none that can be used. */
    certificate(): X509Certificate | undefined {
      const text = readOrUndefined(paths.certificate);
      const key = text === undefined ? undefined : keyOf(text);
      if (text === undefined || key === undefined) return undefined;
      makePrivate(paths.certificate);
      const certificate = certificateOf(text);
      return certificate?.checkPrivateKey(key) ? certificate : undefined;
    },
    /** Keeps a certificate with its key in one file, so that the two always belong together. */
    keepCertificate: ({ chain, key }: OrderedCertificate) => write(paths.certificate, `${chain}${key}`),
    state(): OrderState {
      const text = readOrUndefined(paths.state) ?? "";
      return State.safeParse(parseBoundedJson(text)).data ?? { tries: [], notBefore: 0, orderedAt: 0 };
    },
    keepState: (state: OrderState) => write(paths.state, `${JSON.stringify(state)}\n`),
  };
}

/** Returns a name that tells the operator which CA it is. */
function folderNameOf(directory: string): string {
  return directory
    .replace(/^https:\/\//, "")
    .replaceAll(/[^a-zA-Z0-9.-]+/g, "_")
    .slice(0, 120);
}

/** Replaces a file as a whole, synced: a loss of power leaves the old content or the new one. */
function replaceFile(folder: string, path: string, text: string): void {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { flag: "wx", mode: 0o600, flush: true });
  renameSync(temporary, path);
  syncFolder(folder);
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CommandError(`Cannot read ${path}: ${fileErrorText(error)}`, { cause: error });
  }
}

function orRefuse(path: string, run: () => unknown): void {
  try {
    run();
  } catch (error) {
    throw new CommandError(`Cannot write ${path}: ${fileErrorText(error)}`, { cause: error });
  }
}

function keyOf(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function certificateOf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
