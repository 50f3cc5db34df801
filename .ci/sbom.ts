import { existsSync } from "node:fs";
import { join } from "node:path";
import lock from "../bun.lock";
import { dependencies, license, name, version } from "../package.json";
import { packages } from "./bun/package-lock.json";

/**
 * Prints the software bill of materials of a release as CycloneDX 1.5 JSON (https://cyclonedx.org): the libraries in
 * the executable with the hashes of bun.lock, and Bun's packages with those of .ci/bun/package-lock.json.
 */
function printSbom(): void {
  const own = { ...component(name, version, license), type: "application" };
  const libraries = closure(Object.keys(dependencies)).map((entry) => {
    const [id, , , integrity] = lock.packages[entry] as LockedPackage;
    const at = id.lastIndexOf("@");
    return component(id.slice(0, at), id.slice(at + 1), licenseOf(entry), integrity);
  });
  const bun = Object.entries(packages).flatMap(([path, entry]) =>
    "integrity" in entry
      ? [component(path.slice("node_modules/".length), entry.version, entry.license, entry.integrity)]
      : [],
  );
  const components = [...libraries, ...bun];
  const sbom = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: own },
    components,
    dependencies: [{ ref: own["bom-ref"], dependsOn: components.map((entry) => entry["bom-ref"]) }],
  };
  console.log(JSON.stringify(sbom, null, 2));
}

/** One entry of bun.lock. */
type LockedPackage = [id: string, registry: string, meta: { dependencies?: object }, integrity: string];

/** Returns the names with everything that they depend on. */
function closure(names: string[]): string[] {
  const found = new Set(names);
  for (const entry of found) {
    const [, , meta] = lock.packages[entry] as LockedPackage;
    for (const needed of Object.keys(meta.dependencies ?? {}))
      found.add(`${entry}/${needed}` in lock.packages ? `${entry}/${needed}` : needed);
  }
  return [...found].sort();
}

function licenseOf(entry: string): string | undefined {
  const path = join(import.meta.dir, "../node_modules", entry, "package.json");
  return existsSync(path) ? require(path).license : undefined;
}

function component(name: string, version: string, license?: string, integrity?: string) {
  const hash = integrity?.replace("sha512-", "");
  return {
    type: "library",
    "bom-ref": `${name}@${version}`,
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    ...(license !== undefined && { licenses: [{ license: { id: license } }] }),
    ...(hash !== undefined && {
      hashes: [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }],
    }),
  };
}

printSbom();
