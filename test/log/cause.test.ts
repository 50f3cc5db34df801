import { expect, test } from "bun:test";
import { causeOf } from "../../src/log/log.ts";

const SECRET = "what-the-caller-wrote";

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("it threw nothing");
}

test("a cause tells its kind, its message, and where in the program it was", () => {
  const told = causeOf(thrownBy(() => (undefined as unknown as { x: number }).x));
  expect(told).toStartWith("TypeError: undefined is not an object");
  expect(told).toContain("cause.test.ts:");
});

test("the causes of a cause follow, and their codes", () => {
  const inner = Object.assign(new Error("disk is full"), { code: "SQLITE_FULL" });
  const told = causeOf(new Error("3 rows could not be written", { cause: inner }));
  expect(told).toStartWith("Error: 3 rows could not be written < Error (SQLITE_FULL): disk is full\n");
});

test("no text that a parser or a message quotes is told", () => {
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

test("a chain that bites its own tail has an end", () => {
  const error = new Error("round");
  error.cause = error;
  expect(causeOf(error).match(/round/g)?.length).toBeLessThan(6);
});
