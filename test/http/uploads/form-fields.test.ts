import { expect, test } from "bun:test";
import { FormFields } from "../../../src/http/uploads/form-fields.ts";
import { boundaryOf, FormFault } from "../../../src/http/uploads/part-head.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";

const MODEL = new Set(["model"]);

function read(bytes: Uint8Array, boundary: string, sizes: () => number) {
  const fields = new FormFields(boundary, MODEL);
  for (let at = 0; at < bytes.byteLength; ) {
    const to = Math.min(at + sizes(), bytes.byteLength);
    fields.push(bytes.slice(at, to));
    at = to;
  }
  fields.end();
  return fields.found;
}

const formOf = async (entries: [string, string | Blob][]) => {
  const form = new FormData();
  for (const [name, value] of entries) form.append(name, value);
  const response = new Response(form);
  const boundary = boundaryOf(response.headers.get("content-type")) ?? "";
  return { boundary, bytes: await response.bytes() };
};

const seed = chooseSeed();

test(`the model is found wherever it stands, however the form is cut (seed ${seed})`, async () => {
  const random = createRandom(seed);
  for (let round = 0; round < 200; round++) {
    const { boundary } = await formOf([]);
    // Much of the file looks like the beginning of a delimiter.
    const bait = `\r\n--${boundary.slice(0, random.below(boundary.length))}\r\r\n-`.repeat(random.below(40));
    const model = "m".repeat(random.below(30));
    const file: [string, Blob] = ["file", new File([bait, random.bytes(random.below(500))], "a")];
    const entries: [string, string | Blob][] = [["model", model], ["prompt", "x"], file];
    entries.sort(() => random.next() - 0.5);
    const form = await formOf(entries);
    const sizes = random.pick([() => 1, () => 1 + random.below(60), () => 100_000]);
    const [found, ...more] = read(form.bytes, form.boundary, sizes);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ name: "model", value: model });
    expect(Buffer.from(form.bytes.slice(found?.from, found?.to)).toString()).toBe(model);
  }
});

test("a form with too many parts, or with too long a head or model, is refused", async () => {
  const many = await formOf(Array.from({ length: 1_001 }, (_, index) => [`f${index}`, "x"]));
  const long = await formOf([["model", "m".repeat(2_000)]]);
  const head = { boundary: "b", bytes: Buffer.from(`--b\r\nx: ${"y".repeat(20_000)}`) };
  for (const { bytes, boundary } of [many, long, head])
    for (const size of [7, 100_000]) expect(() => read(bytes, boundary, () => size)).toThrow(FormFault);
});

test("two models are both found, and only multipart/form-data has a boundary", async () => {
  const { bytes, boundary } = await formOf([
    ["model", "a"],
    ["model", "b"],
  ]);
  expect(read(bytes, boundary, () => 5).map(({ value }) => value)).toEqual(["a", "b"]);
  expect(boundaryOf('multipart/form-data; charset=utf-8; boundary="a b"')).toBe("a b");
  expect(boundaryOf("multipart/mixed; boundary=a")).toBeUndefined();
  expect(boundaryOf("application/json")).toBeUndefined();
  expect(boundaryOf(null)).toBeUndefined();
});

const part = (head: string, value = "v") => `--b\r\n${head}\r\n\r\n${value}\r\n`;
const field = (name: string) => part(`Content-Disposition: form-data; name="${name}"`, "m");
const END = "--b--\r\n";

test.each([
  ["a beginning that is not its boundary", `\n--b\n\n${field("model")}${END}`],
  ["a boundary with something behind it", `--bX\r\n\r\n${field("model")}${END}`],
  ["a boundary that ends with a line feed alone", `${field("model").replace("--b\r\n", "--b\n")}${END}`],
  ["an end that is missing", field("model")],
  ["an end within a head", `${field("model")}--b\r\nContent-Disp`],
  ["something after its end", `${field("x")}--b--garbage\r\n${field("model")}${END}`],
  ["a part after its end", `${field("x")}${END}${field("model")}${END}`],
  ["a part without a head", `--b\r\n\r\nvalue\r\n${END}`],
  ["a folded header", part('Content-Disposition: form-data;\r\n name="model"') + END],
  ["a line without a name", part('Content-Disposition: form-data; name="x"\r\nname="model"') + END],
  ["a space before a colon", part('Content-Disposition : form-data; name="model"') + END],
  ["two dispositions", part(`${'Content-Disposition: form-data; name="x"\r\n'.repeat(2)}x: y`) + END],
  ["two names", part('Content-Disposition: form-data; name="x"; name="model"') + END],
  [
    "a name in another encoding",
    part("Content-Disposition: form-data; name=\"x\"; name*=utf-8''model") + END,
  ],
  ["another disposition", part('Content-Disposition: attachment; name="model"') + END],
  ["an escaped name", field("mo\\del") + END],
  ["a percent-encoded name", field("%6Dodel") + END],
  ["a name with a space", field("model ") + END],
  ["a name with a capital", field("Model") + END],
  ["an open quote", part('Content-Disposition: form-data; name="x"; filename="a; name=model') + END],
  ["a model that is a file", part('Content-Disposition: form-data; name="model"; filename="m"') + END],
])("a form with %s is refused, as an upstream might find another model in it", (_, form) => {
  for (const size of [1, 3, 100_000])
    expect(() => read(Buffer.from(form, "latin1"), "b", () => size)).toThrow(FormFault);
});

test.each([
  ["what browsers send", `${field("model")}${END}`],
  ["a line break before it, and after it", `\r\n${field("model")}${END}\r\n`],
  ["an end without a line break", `${field("model")}--b--`],
  ["spaces behind a boundary", `${field("model").replace("--b\r\n", "--b \t\r\n")}${END}`],
  ["other letters and no quotes", part("content-disposition: FORM-DATA; NAME=model", "m") + END],
  [
    "file names of all kinds",
    field("model") +
      part(
        'Content-Disposition: form-data; name="file"; filename="a; name=model\\".wav"\r\nContent-Type: a/b',
      ) +
      part('Content-Disposition: form-data; name="file"; filename="\xe4"; filename*=utf-8\'\'%C3%A4') +
      part('Content-Disposition: form-data; filename="name=model"; name="file"') +
      END,
  ],
])("a form with %s has one model", (_, form) => {
  for (const size of [1, 3, 100_000]) {
    const found = read(Buffer.from(form, "latin1"), "b", () => size);
    expect(found.map(({ name, value }) => [name, value])).toEqual([["model", "m"]]);
  }
});

test("a content type has a boundary only if it names one, and no other", () => {
  for (const type of [
    "multipart/form-data; boundary=a; boundary=b",
    "multipart/form-data; x=boundary=a",
    'multipart/form-data; boundary=""',
    'multipart/form-data; boundary="a',
    "multipart/form-data",
    `multipart/form-data; boundary=${"a".repeat(201)}`,
  ])
    expect(boundaryOf(type)).toBeUndefined();
  expect(boundaryOf("Multipart/Form-Data;Boundary=a;")).toBe("a");
});
