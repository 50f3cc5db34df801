import { mkdir, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";

type File = Awaited<ReturnType<typeof open>>;

/** The bytes that are kept in memory before there is a file. */
const MEMORY_BYTES = 256 * 1024;

/**
 * Bytes that are written once, and read as often as needed: in memory while they are few, and else in a file. Where the
 * system allows it, the file loses its name at once: then nothing is left of it when the process ends, however it ends.
 */
export class Spool {
  #bytes = 0;
  #pieces: Uint8Array[] = [];
  #file: File | undefined;
  /** The file still has this name. */
  #path: string | undefined;
  #isClosed = false;
  /** Resolves when nothing is read or written. */
  #busy: Promise<unknown> = Promise.resolve();

  /** The folder is made with the first file in it. */
  constructor(private readonly folder: string) {}

  /** The number of bytes that were written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends bytes, which it does not keep. To be called again only when it has resolved. Rejects if they cannot be stored. */
  async write(piece: Uint8Array): Promise<void> {
    const at = this.#bytes;
    this.#bytes += piece.byteLength;
    if (!this.#file && this.#bytes <= MEMORY_BYTES) this.#pieces.push(piece.slice());
    else await this.#during(this.#append(piece, at));
  }

  /** Reads bytes from a position on, as many as there are and fit. Returns those. Rejects if the spool is closed. */
  async read(at: number, into: Uint8Array): Promise<Uint8Array> {
    if (this.#isClosed) throw new Error("the spool is closed");
    const wanted = into.subarray(0, Math.max(this.#bytes - at, 0));
    if (this.#file) return this.#during(readFrom(this.#file, at, wanted));
    wanted.set(Buffer.concat(this.#pieces).subarray(at, at + wanted.byteLength));
    return wanted;
  }

  /** Deletes the bytes. Further calls do nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pieces = [];
    await this.#busy;
    await this.#file?.close();
    if (this.#path !== undefined) await unlink(this.#path).catch(() => {});
  }

  async #append(piece: Uint8Array, at: number): Promise<void> {
    if (!this.#file) {
      this.#file = await this.#open();
      const first = Buffer.concat(this.#pieces);
      this.#pieces = [];
      await writeTo(this.#file, first, 0);
    }
    await writeTo(this.#file, piece, at);
  }

  async #open(): Promise<File> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = join(this.folder, crypto.randomUUID());
    const file = await open(path, "wx+", 0o600);
    await unlink(path).catch(() => {
      this.#path = path;
    });
    return file;
  }

  #during<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(
      () => {},
      () => {},
    );
    this.#busy = Promise.all([this.#busy, settled]);
    return work;
  }
}

const FILE_NAME = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Deletes the files that a process left behind which ended suddenly, where files in use keep their names. */
export async function deleteLeftSpools(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => FILE_NAME.test(name));
  await Promise.all(left.map((name) => unlink(join(folder, name)).catch(() => {})));
}

async function writeTo(file: File, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, at + done);
    done += bytesWritten;
  }
}

async function readFrom(file: File, at: number, bytes: Uint8Array): Promise<Uint8Array> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesRead } = await file.read(bytes, done, bytes.byteLength - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
