import type { Random } from "../random.ts";
import { cutText, type Json, type ModelOutput } from "./answers.ts";
import type { Vendor } from "./vendors.ts";

const endOf = ({ words }: Vendor, { ending }: ModelOutput) => words?.[ending] ?? ending;

function usageOf({ usageBase }: Vendor, { inputTokens, outputTokens }: ModelOutput): Json {
  const counts = { prompt_tokens: inputTokens, completion_tokens: outputTokens };
  return { ...counts, total_tokens: inputTokens + outputTokens, ...usageBase };
}

const thinking = (text: string) => ({ type: "thinking", thinking: [{ type: "text", text }] });

/** Returns the body of a whole answer. */
export function wholeAnswer(vendor: Vendor, output: ModelOutput): Json {
  const { reasoning, text, calls } = output;
  const parts = [thinking(reasoning), { type: "text", text }];
  const inParts = vendor.reasoning === "parts" && reasoning !== "";
  const message = {
    role: "assistant",
    ...vendor.message,
    content: inParts ? parts : text || (calls.length > 0 ? null : ""),
    ...(vendor.reasoning !== "parts" && reasoning !== "" && { [vendor.reasoning]: reasoning }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ name, input }, number) => {
        const { index: _, ...mark } = vendor.mark(number);
        return { ...mark, function: { name, arguments: JSON.stringify(input) } };
      }),
    }),
  };
  const choice = { index: 0, ...vendor.choice, message, finish_reason: endOf(vendor, output) };
  const base = { ...vendor.base, object: "chat.completion", ...vendor.wholeBase };
  return { ...base, choices: [choice], ...(vendor.usage !== "none" && { usage: usageOf(vendor, output) }) };
}

/** Returns the chunks of a streamed answer, without `[DONE]`. */
export function chunksOf(vendor: Vendor, output: ModelOutput, random: Random): Json[] {
  const deltas = deltasOf(vendor, output, random);
  if (vendor.endsWith === "own chunk" || deltas.length === 0) deltas.push({});
  const usage = usageOf(vendor, output);
  const chunks = deltas.map((delta, at): Json => {
    const isLast = at === deltas.length - 1;
    const withRole = vendor.role === "every" || (at === 0 && !vendor.first);
    const finish = isLast ? endOf(vendor, output) : vendor.unfinished;
    const told = vendor.usage === "every chunk" || (isLast && vendor.usage === "with the end");
    return {
      ...vendor.base,
      choices: [
        {
          index: 0,
          ...vendor.choice,
          delta: { ...(withRole && { role: "assistant" }), ...vendor.message, ...delta },
          ...(finish !== undefined && { finish_reason: finish }),
        },
      ],
      ...(told ? { usage } : vendor.noUsage === null && { usage: null }),
      ...(isLast && vendor.usage === "x_groq" && { x_groq: { id: "req_1", usage } }),
    };
  });
  const own = vendor.usage === "own chunk" ? [{ ...vendor.base, choices: [], usage }] : [];
  return structuredClone([...(vendor.first ?? []), ...chunks, ...own]);
}

function deltasOf(vendor: Vendor, { reasoning, text, calls }: ModelOutput, random: Random): Json[] {
  const field = vendor.reasoning;
  return [
    ...cutText(reasoning, random).map(
      (piece): Json =>
        field === "parts" ? { content: [thinking(piece)] } : { content: null, [field]: piece },
    ),
    ...cutText(text, random).map((content) => ({ content })),
    ...calls.flatMap((call, number) => callDeltas(vendor, call, number, random)),
  ];
}

function callDeltas(
  { calls, mark, repeatsIndex }: Vendor,
  { name, input }: ModelOutput["calls"][number],
  number: number,
  random: Random,
): Json[] {
  const text = JSON.stringify(input);
  const first = mark(number);
  if (calls === "whole") return [{ tool_calls: [{ ...first, function: { name, arguments: text } }] }];
  const again = repeatsIndex ? { index: first["index"] } : {};
  return [
    { tool_calls: [{ ...first, function: { name, arguments: "" } }] },
    ...cutText(text, random).map((piece) => ({ tool_calls: [{ ...again, function: { arguments: piece } }] })),
  ];
}
