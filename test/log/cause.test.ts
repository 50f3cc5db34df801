import { expect, test } from "bun:test";
import { causeOf } from "../../src/log/log.ts";

const SECRET = "what-the-caller-wrote";

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

test("a cause has its type, its message and its stack", () => {
  const described = causeOf(thrownBy(() => (undefined as unknown as { x: number }).x));
  expect(described).toStartWith("TypeError: undefined is not an object");
  expect(described).toContain("cause.test.ts:");
});

test("a cause is followed by its own causes and their codes", () => {
  const inner = Object.assign(new Error("disk is full"), { code: "SQLITE_FULL" });
  const described = causeOf(new Error("3 rows could not be written", { cause: inner }));
  expect(described).toStartWith("Error: 3 rows could not be written < Error (SQLITE_FULL): disk is full\n");
});

test("a cause leaves out text quoted by a parser or a message", () => {
  const errors = [
    thrownBy(() => JSON.parse(SECRET)),
    new SyntaxError(`Unexpected token ${SECRET}`),
    new Error(`cannot read "${SECRET}" here`),
    new Error(`cannot read "${SECRET} which has no end`),
    new Error(`first line\n    at "${SECRET}"`),
    `thrown as text: "${SECRET}"`,
    { secret: SECRET },
    new Error("outer", { cause: thrownBy(() => JSON.parse(`${SECRET} {`)) }),
  ];
  for (const error of errors) expect(causeOf(error)).not.toContain(SECRET);
});

test("a circular chain of causes ends", () => {
  const error = new Error("round");
  error.cause = error;
  expect(causeOf(error).match(/round/g)?.length).toBeLessThan(6);
});
