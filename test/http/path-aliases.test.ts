import { describe, expect, test } from "bun:test";
import { createPathAliases, deploymentOf } from "../../src/http/path-aliases.ts";
import { ROUTES } from "../../src/http/resources.ts";
import { chooseSeed, createRandom } from "../support/random.ts";

const declared = ROUTES.map(({ path }) => path);
const { canonical, atEnd } = createPathAliases(ROUTES);

const CHAT = "/v1/chat/completions";

test.each([
  [CHAT, CHAT],
  ["/chat/completions", CHAT],
  ["/v1/v1/chat/completions", CHAT],
  ["//v1/chat/completions", CHAT],
  ["/v1//chat/completions", CHAT],
  ["/v1/chat/completions/", CHAT],
  ["/openai/v1/chat/completions", CHAT],
  ["/openai/chat/completions", CHAT],
  ["/api/v1/chat/completions", CHAT],
  ["/openai/deployments/gpt-4o/chat/completions", CHAT],
  ["/openai/deployments/org/model/chat/completions", CHAT],
  ["/openai/deployments/ada/embeddings", "/v1/embeddings"],
  ["/openai/v1/deployments/ada/embeddings", "/v1/embeddings"],
  ["/deployments/ada/embeddings", "/v1/embeddings"],
  ["/openai/responses", "/v1/responses"],
  ["/v1/v1/messages", "/v1/messages"],
  ["/anthropic/v1/messages/count_tokens", "/v1/messages/count_tokens"],
  ["/messages", "/v1/messages"],
  ["/models", "/v1/models"],
  ["/v1/models/", "/v1/models"],
  ["/models/org/m", "/v1/models/org/m"],
  ["/v1/models/org/m", "/v1/models/org/m"],
  ["/api/embeddings", "/api/embeddings"],
  ["/v1/embeddings/", "/v1/embeddings"],
  ["/api/v1/embeddings", "/v1/embeddings"],
  ["/api/tags/", "/api/tags"],
  ["//api/chat", "/api/chat"],
  ["/v1/api/chat", "/api/chat"],
  ["/v1/api/embeddings", "/api/embeddings"],
  ["/api/api/generate", "/api/generate"],
  ["/ollama/api/tags", "/api/tags"],
  ["/ollama//api/version/", "/api/version"],
  ["/v1/api/blobs/sha256:1", "/api/blobs/sha256:1"],
  ["/api/blobs/sha256:1/", "/api/blobs/sha256:1"],
])("the path %s stands for %s", (path, expected) => {
  expect(canonical(path)).toBe(expected);
});

test.each([
  ...[
    "/",
    "",
    "/health",
    "/health/",
    "//health",
    "/v1",
    "/v1/",
    "/v1/health",
    "/openai/health",
    "/v1/admin/users",
  ],
  ...[
    "/admin/users/",
    "/admin/users/7",
    "/api/ask",
    "/api/ask/",
    "/v1/api/ask",
    "/api/v1/ask",
    "/client/register",
  ],
  ...[
    "/V1/chat/completions",
    "/v1/chat",
    "/foo/v1/messages",
    "/v1/chat/completions/foo",
    "/v1/messages/batches",
  ],
  ...["/openai/deployments/m/models", "/openai/deployments/m/foo"],
  ...["/ollama", "/ollama/tags", "/ollama/v1/api", "/v1/tags", "/tags", "/api/usage/", "/v1/api/session"],
  ...["/ollama/api/ask", "/foo/api/tags", "/api/foo/tags", "/api/tags/foo", "/api/blobs/", "/API/tags"],
])("the path %p stands for itself", (path) => {
  expect(canonical(path)).toBe(path);
});

test.each([
  ["/foo/v1/messages", "/v1/messages"],
  ["/foo/bar/chat/completions", CHAT],
  ["/foo/completions", "/v1/completions"],
  ["/foo/api/tags", "/api/tags"],
  ["/foo/api/embeddings", "/api/embeddings"],
  ["/foo/tags", undefined],
  ["/foo/api/ask", undefined],
  ["/v1/chat/completions/foo", undefined],
  ["/foo", undefined],
])("the path %s ends with %p", (path, expected) => {
  expect(atEnd(path)).toBe(expected as string);
});

test.each([
  ["/openai/deployments/gpt-4o/chat/completions?api-version=2025-01-01", "gpt-4o"],
  ["/openai/deployments/llama3.2%3Alatest/embeddings", "llama3.2:latest"],
  ["/openai/deployments/org/m/responses", "org/m"],
  ["/openai/deployments/org%2Fm/completions/", "org/m"],
  ["/openai/deployments/%zz/completions", "%zz"],
  ["/openai/v1/chat/completions", undefined],
  ["/v1/models/deployments/x", undefined],
])("the path %s names the model %p", (path, model) => {
  expect(deploymentOf(`http://localhost:8080${path}`)).toBe(model as string);
});

describe("aliases of made-up paths", () => {
  const seed = chooseSeed();
  test(`an alias only ever stands for a route of the model API or Ollama's (SEED=${seed})`, () => {
    const ollama = ROUTES.flatMap(({ path, tag }) => (tag === "Ollama" && !path.includes(":") ? path : []));
    const random = createRandom(seed);
    const words = [
      ...declared.flatMap((path) => path.split("/")),
      ...["v1", "openai", "api", "ollama", "anthropic", "deployments", "..", "%2e", ""],
    ];
    for (let round = 0; round < 20_000; round++) {
      const path = `/${Array.from({ length: 1 + random.below(6) }, () => random.pick(words)).join("/")}`;
      const found = canonical(path);
      if (found !== path && !ollama.includes(found))
        expect([path, found]).toEqual([path, expect.stringMatching(/^\/(v1|api\/blobs)\/./)]);
      expect(canonical(found)).toBe(found);
    }
  });
});
