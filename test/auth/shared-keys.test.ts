import { expect, test } from "bun:test";
import { sharedKeys } from "../../src/auth/secret.ts";
import { agentKey, sealKey } from "../../src/config/kinds.ts";

const clusterKey = "0123456789abcdef0123456789abcdef";

test("servers with one cluster key have the same agent key and the same seal key, which differ", () => {
  const keys = sharedKeys({ clusterKey });
  expect(keys).toEqual(sharedKeys({ clusterKey }));
  expect(keys.agentKey).not.toBe(keys.sealKey);
  expect(keys).not.toEqual(sharedKeys({ clusterKey: `${clusterKey}0` }));
});

test("derived keys are valid keys, and never change: tokens are sealed with one, and agents have the other", () => {
  const keys = sharedKeys({ clusterKey });
  expect(agentKey.schema.parse(keys.agentKey)).toBe(keys.agentKey as string);
  expect(sealKey.schema.parse(keys.sealKey)).toBe(keys.sealKey as string);
  expect(keys).toMatchInlineSnapshot(`
    {
      "agentKey": "T3RW-rFMf9STsGAwXuLN0C341WFVOBTkSCtKS5huNhg",
      "sealKey": "Ry2HQrHO8WMgdRlohhu1-JJ_WvnhxZU0WsvORSV_Jzc",
    }
  `);
});

test("a key that is given wins over the derived one, and without a cluster key none is derived", () => {
  expect(sharedKeys({ clusterKey, agentKey: "agent-key" }).agentKey).toBe("agent-key");
  expect(sharedKeys({ clusterKey, sealKey: "s" }).sealKey).toBe("s");
  expect(sharedKeys({})).toEqual({ agentKey: undefined, sealKey: undefined });
});
