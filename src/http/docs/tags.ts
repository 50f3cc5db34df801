/** The sections of the documentation. */
export const TAGS = [
  { name: "Asks", description: "Send a request, and continue a conversation, as with the reference server." },
  {
    name: "Models",
    description: "OpenAI-style and Anthropic-style routes. SDKs work once their base URL is changed.",
  },
  { name: "Users", description: "For the administrator: users, their tokens and their limits." },
  { name: "Usage", description: "Who sent how many requests, never what was in them." },
  { name: "Agents", description: "For the administrator: the connected agents, and their keys." },
  {
    name: "Server",
    description: "For the administrator: live numbers, the settings, and a backup of the data.",
  },
  { name: "Sessions", description: "Sign a browser in and out, as the dashboard does." },
  { name: "Registration", description: "The WebSockets that agents open, described in words." },
  {
    name: "Operations",
    description: "Health checks, metrics, this documentation and the dashboard.",
  },
] as const;

export type Tag = (typeof TAGS)[number]["name"];
