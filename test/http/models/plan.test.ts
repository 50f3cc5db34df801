import { expect, test } from "bun:test";
import { nativeWay } from "../../../src/http/models/plan.ts";

/** What the caller gets of a delta, where it did not ask for usage figures. */
function shown(data: string): string | undefined {
  const head = { model: "m", stream: true };
  const way = nativeWay("chat/completions", { text: "{}", head, model: "m", headers: {} });
  return way.open().events({ data })[0]?.data;
}

test.each([
  ['{"choices":[{}],"usage":null}', '{"choices":[{}]}'],
  ['{"usage":null,"choices":[{}]}', '{"choices":[{}]}'],
  ['{"usage":1,"choices":[{}],"usage":null}', '{"choices":[{}]}'],
  ['{"choices":[{}],"x":{"a":1,"usage":null}}', '{"choices":[{}],"x":{"a":1,"usage":null}}'],
  ['{"choices":[{"a":",\\"usage\\":null}"}]}', '{"choices":[{"a":",\\"usage\\":null}"}]}'],
  ['{"choices":[{"a":"\\"usage\\""}],"usage":null}', '{"choices":[{"a":"\\"usage\\""}]}'],
  ['{"choices":[,"usage":null}', '{"choices":[,"usage":null}'],
])("of a delta without figures only their place is taken out: %s", (data, expected) => {
  expect(shown(data)).toBe(expected);
});
