import { Ollama } from "ollama";

/** A program: asks a model by Ollama's package, streamed, and prints the answer. Arguments: address, token, model. */
const [host = "", token = "", model = ""] = process.argv.slice(2);
const client = new Ollama({ host, headers: { Authorization: `Bearer ${token}` } });
const messages = [{ role: "user", content: "Hello" }];
let text = "";
for await (const { message } of await client.chat({ model, stream: true, messages })) text += message.content;
process.stdout.write(`${text}\n`);
