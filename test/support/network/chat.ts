import OpenAI from "openai";

/** A program: asks a model by OpenAI's SDK, streamed, and prints the answer. Arguments: base URL, token, model. */
const [baseURL = "", apiKey = "", model = ""] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const stream = await client.chat.completions.create({
  model,
  stream: true,
  messages: [{ role: "user", content: "Hello" }],
});
let text = "";
for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
process.stdout.write(`${text}\n`);
