import {
  createReadStream,
  createWriteStream,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { extract, pack } from "tar-stream";

/** Writes the plain files of an archive into a folder. */
export async function unpackTar(file: string, folder: string): Promise<void> {
  const archive = extract();
  const reading = pipeline(createReadStream(file), archive);
  for await (const entry of archive) await Bun.write(join(folder, entry.header.name), await buffer(entry));
  await reading;
}

/** Writes an archive of the folder, as `tar -cf file -C folder .` does: with its folders and links. */
export async function packTar(folder: string, file: string): Promise<void> {
  const archive = pack();
  const writing = pipeline(archive, createWriteStream(file));
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const source = join(folder, path);
    const stats = lstatSync(source);
    const name = `./${path}`;
    if (stats.isDirectory()) archive.entry({ name, type: "directory" });
    else if (stats.isSymbolicLink()) archive.entry({ name, type: "symlink", linkname: readlinkSync(source) });
    else archive.entry({ name }, readFileSync(source));
  }
  archive.finalize();
  await writing;
}
