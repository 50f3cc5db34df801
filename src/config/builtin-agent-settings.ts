import * as kinds from "./kinds.ts";
import { optional, setting } from "./setting.ts";
import { baseUrls, slots, upstreamKeys } from "./upstream-kinds.ts";

/** The settings of the built-in agent. */
export const BUILTIN_AGENT = {
  upstreams: optional("upstream", "none", baseUrls, "Base URL of the built-in agent's model server.", {
    many: ",",
  }),
  upstreamKeys: optional(
    "upstream-key",
    "none",
    upstreamKeys,
    "API key of the model server; with several, one for each in their order, or none.",
    { aliases: ["UPSTREAM_KEY"], secret: true, many: "\n" },
  ),
  models: optional("model", "all models of the upstream", kinds.names, "Model the built-in agent offers.", {
    many: ",",
  }),
  endpoints: optional("endpoint", "detected", kinds.names, "Endpoint the built-in agent offers.", {
    many: ",",
  }),
  slots: setting(
    "slots",
    "auto",
    slots,
    "Concurrent requests the built-in agent accepts; auto is what the model server says, or 8.",
    { many: "," },
  ),
  name: optional("name", "the host's name", kinds.name, "Name of the built-in agent."),
  priority: setting(
    "priority",
    "0",
    kinds.priority,
    "Priority of the built-in agent; the highest is used first, as long as it has room.",
  ),
  weight: setting("weight", "1", kinds.weight, "Share of the built-in agent among those of its priority."),
  tags: optional("tag", "all of its key", kinds.tags, "Tag of the built-in agent, such as home.", {
    many: ",",
  }),
  echo: setting("echo", "no", kinds.yesNo, "Run a built-in agent that echoes questions, without a model.", {
    bare: "yes",
  }),
};
