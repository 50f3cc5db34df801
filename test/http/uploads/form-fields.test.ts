import { expect, test } from "bun:test";
import { boundaryOf, FormFault, FormFields } from "../../../src/http/uploads/form-fields.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";

const MODEL = new Set(["model"]);

function read(bytes: Uint8Array, boundary: string, sizes: () => number) {
  const fields = new FormFields(boundary, MODEL);
  for (let at = 0; at < bytes.byteLength; ) {
    const to = Math.min(at + sizes(), bytes.byteLength);
    fields.push(bytes.slice(at, to));
    at = to;
  }
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
