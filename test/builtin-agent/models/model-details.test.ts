import { expect, onTestFinished, test } from "bun:test";
import { createHttpUpstream, readModelList } from "../../../src/builtin-agent/http-upstream.ts";
import { detailsOf } from "../../../src/protocol/model-details.ts";

/** Returns the details of the first model of an upstream with these answers. */
async function detailsFrom(routes: Record<string, object>) {
  const server = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    fetch(request) {
      const found = routes[new URL(request.url).pathname];
      return Response.json(found ?? {}, { status: found ? 200 : 404 });
    },
  });
  onTestFinished(() => server.stop(true));
  const url = `http://127.0.0.1:${server.port}/v1`;
  const status = await createHttpUpstream({ url, models: [], endpoints: ["chat/completions"] }).check(
    new AbortController().signal,
  );
  const [model] = "offer" in status ? status.offer.models : [];
  return model && detailsOf(model);
}

const listed = (entry: object) => ({ object: "list", data: [{ id: "m", ...entry }] });

test("Ollama tells the details of its models, and what they can do", async () => {
  const details = { family: "llama", parameter_size: "3.2B", quantization_level: "Q4_K_M" };
  const routes = {
    "/v1/models": listed({ owned_by: "library" }),
    "/api/tags": { models: [{ name: "m", size: 2_019_393_189, details }] },
    "/api/show": { capabilities: ["completion", "tools"], model_info: {} },
  };
  expect(await detailsFrom(routes)).toEqual({
    ...{ size: 2_019_393_189, family: "llama", parameter_size: "3.2B", quantization: "Q4_K_M" },
    capabilities: ["completion", "tools"],
  });
});

test("LM Studio tells the architecture, the quantization and the type of its models", async () => {
  const own = { id: "m", type: "vlm", arch: "qwen2vl", quantization: "4bit", capabilities: ["tool_use"] };
  const routes = {
    "/v1/models": listed({ owned_by: "organization_owner" }),
    "/api/v0/models": { data: [own] },
  };
  expect(await detailsFrom(routes)).toEqual({
    ...{ family: "qwen2vl", quantization: "4bit" },
    capabilities: ["completion", "vision", "tools"],
  });
});

test("a capability that is named like a property of every object is one like any other", async () => {
  const own = { id: "m", type: "llm", capabilities: ["tool_use", "constructor"] };
  const routes = {
    "/v1/models": listed({ owned_by: "organization_owner" }),
    "/api/v0/models": { data: [own] },
  };
  expect(await detailsFrom(routes)).toEqual({ capabilities: ["completion", "tools", "constructor"] });
});

test("llama.cpp tells the size of its model in the list", () => {
  const [model] = readModelList(listed({ meta: { size: 4_912_898_304, n_params: 8_030_261_312 } })) ?? [];
  expect(model && detailsOf(model)).toEqual({ size: 4_912_898_304, parameter_size: "8B" });
});

test("details that cannot be right are left out, and the model stays", () => {
  const wrong = { meta: { size: -1, n_params: "many" }, capabilities: ["a\u0000b"] };
  expect(readModelList(listed(wrong))).toEqual([{ id: "m" }]);
  const tooMany = { capabilities: Array.from({ length: 17 }, (_, index) => `c${index}`) };
  expect(readModelList(listed(tooMany))).toEqual([{ id: "m" }]);
});
