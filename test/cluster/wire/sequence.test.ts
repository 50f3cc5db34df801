import { expect, test } from "bun:test";
import { Received, Sent } from "../../../src/cluster/wire/sequence.ts";
import { chooseSeed, createRandom, type Random } from "../../support/random.ts";

const bytesOf = (...values: number[]) => Uint8Array.from(values);
const seed = chooseSeed();

test("messages are kept until they are acknowledged", () => {
  const sent = new Sent();
  sent.add(bytesOf(1), 100);
  sent.add(bytesOf(2, 2), 200, true);
  sent.add(bytesOf(3), 300);
  expect([sent.last, sent.bytes, sent.pieceBytes, sent.oldestAt]).toEqual([3, 4, 2, 100]);
  sent.acknowledge(2);
  expect([sent.last, sent.bytes, sent.pieceBytes, sent.oldestAt]).toEqual([3, 1, 0, 300]);
  sent.acknowledge(99);
  expect([sent.last, sent.bytes, sent.oldestAt]).toEqual([3, 0, undefined]);
});

test("a message with bytes is freed once it is acknowledged, but not if it was sent twice and may be on its way", () => {
  const sent = new Sent();
  const messages = [bytesOf(1), bytesOf(2), bytesOf(3), bytesOf(4)];
  for (const [index, message] of messages.entries()) sent.add(message, 0, index < 3);
  for (let at = 1; at <= 4; at++) sent.passNext();
  sent.goBack(2);
  sent.passNext();
  sent.acknowledge(99);
  expect(messages.map(({ byteLength }) => byteLength)).toEqual([0, 1, 0, 1]);
  expect([sent.bytes, sent.pieceBytes, sent.onTheWay]).toEqual([0, 0, 0]);
});

test("messages are passed on in order, and again from a number on, unless they are gone", () => {
  const sent = new Sent();
  const pass = () => {
    const next = sent.next;
    if (next) sent.passNext();
    return next;
  };
  for (let at = 1; at <= 5; at++) sent.add(bytesOf(at, at), 0);
  expect([pass(), pass(), pass()]).toEqual([bytesOf(1, 1), bytesOf(2, 2), bytesOf(3, 3)]);
  expect([sent.passed, sent.onTheWay]).toEqual([3, 6]);
  sent.acknowledge(1);
  expect([sent.goBack(1), sent.passed, sent.onTheWay]).toEqual([false, 3, 4]);
  expect([sent.goBack(3), sent.passed, sent.onTheWay]).toEqual([true, 2, 2]);
  // It had arrived when it was asked for.
  sent.acknowledge(4);
  expect([sent.passed, sent.onTheWay]).toEqual([4, 0]);
  expect([pass(), pass(), sent.onTheWay]).toEqual([bytesOf(5, 5), undefined, 2]);
  expect([sent.goBack(6), sent.passed]).toEqual([true, 5]);
});

test("a missing message is asked for at once, and again only after 300 ms without progress", () => {
  const received = new Received();
  expect(received.take(1, 0)).toBe(true);
  expect(received.ask(0)).toBeUndefined();
  expect(received.take(4, 1_000)).toBe(false);
  expect(received.ask(1_000)).toBe(2);
  expect(received.ask(1_299)).toBeUndefined();
  expect(received.take(2, 1_299)).toBe(true);
  expect(received.ask(1_598)).toBeUndefined();
  expect(received.ask(1_599)).toBe(3);
  expect(received.take(3, 1_600)).toBe(true);
  expect(received.take(4, 1_600)).toBe(true);
  expect(received.ask(5_000)).toBeUndefined();
  received.know(6);
  expect(received.ask(5_000)).toBe(5);
});

const COUNT = 30;

/** Carries messages over a way that loses, repeats and reorders them. Returns the numbers that were taken. */
function carry(random: Random): number[] {
  const [sent, received] = [new Sent(), new Received()];
  const onTheirWay: number[] = [];
  const taken: number[] = [];
  const send = (number: number) => {
    if (random.next() < 0.6) onTheirWay.push(number);
    if (random.next() < 0.2) onTheirWay.push(number);
  };
  for (let now = 0; taken.length < COUNT && now < 1e6; now += random.below(100)) {
    if (sent.last < COUNT) sent.add(bytesOf(sent.last + 1), now);
    send(sent.last);
    for (const number of sent.next ?? []) send(number);
    if (sent.next) sent.passNext();
    received.know(sent.last);
    const [number = 0] = onTheirWay.splice(random.below(onTheirWay.length), 1);
    if (received.take(number, now)) taken.push(number);
    const from = received.ask(now);
    if (from !== undefined) expect(sent.goBack(from)).toBe(true);
    if (random.next() < 0.1) sent.acknowledge(received.last);
  }
  return taken;
}

test(`whatever is lost, repeated and reordered, each message is taken once and in order (seed ${seed})`, () => {
  const random = createRandom(seed);
  for (let run = 0; run < 200; run++)
    expect(carry(random)).toEqual(Array.from({ length: COUNT }, (_, at) => at + 1));
});
