/** The sections of the documentation, with what they are about. */
export const TAGS = {
  Asks: "Send a request, and continue a conversation, as with the reference server.",
  Models: "OpenAI-style and Anthropic-style routes. SDKs work once their base URL is changed.",
  Ollama: "Ollama's own API, for clients that know no other. They need a key here.",
  Users: "For the administrator: users, their tokens and their limits.",
  Usage: "Who sent how many requests, never what was in them.",
  Agents: "For the administrator: the connected agents, and their keys.",
  Server: "For the administrator: live numbers, the settings, and a backup of the data.",
  Sessions: "Sign a browser in and out, as the dashboard does.",
  Registration: "The WebSockets that agents open, described in words.",
  Operations: "Health checks, metrics, this documentation and the dashboard.",
};

export type Tag = keyof typeof TAGS;
