import { LLMock } from "@copilotkit/aimock";
import { announce } from "./announce.ts";
import { answerAsModel, EMBEDDING_MODEL, MODELS, refuseModel } from "./model-answers.ts";

/** A program: an OpenAI-compatible server made by others, with the answers of `answerAsModel`. */
const [quick, slow] = MODELS;
const server = new LLMock({ port: 0, journalMaxEntries: 1 });
server.addFixture({
  match: { model: slow, endpoint: "chat" },
  response: answerAsModel,
  latency: 50,
  chunkSize: 4,
});
server.addFixture({ match: { model: quick, endpoint: "chat" }, response: answerAsModel });
// This fixture never matches, so that the package derives the vectors from the input. It only lists the
// model.
server.addFixture({
  match: { model: EMBEDDING_MODEL, predicate: () => false },
  response: { embedding: [] },
});
server.addFixture({ match: { endpoint: "chat" }, response: refuseModel });
await server.start();
announce(server.port);
