import { expect, test } from "bun:test";
import type { AppError } from "../../../src/errors.ts";
import { BodyPlace, BodyRoom } from "../../../src/http/middleware/body-room.ts";
import { ADMIN, type Principal, userPrincipal } from "../../../src/principal.ts";

const ROOM = 100;

/** Returns the error code of a body that does not fit. */
function refusal(place: BodyPlace, bytes: number): string | undefined {
  try {
    place.grow(bytes);
    return undefined;
  } catch (error) {
    return (error as AppError).code;
  }
}

function createRoom() {
  const room = new BodyRoom(ROOM);
  return { room, placeOf: (principal: Principal) => new BodyPlace(room, principal) };
}

test("the bodies of all together fit into the room, and the rest is refused until some have left", () => {
  const { room, placeOf } = createRoom();
  const places = ["one", "two", "three"].map((id) => placeOf(userPrincipal(id)));
  expect(places.map((place) => refusal(place, 40))).toEqual([undefined, undefined, "bodies_full"]);
  expect(room.bytes).toBe(80);
  places[0]?.leave();
  expect(refusal(placeOf(userPrincipal("three")), 40)).toBeUndefined();
});

test("one principal has half of the room, and the others the rest", () => {
  const { placeOf } = createRoom();
  const refusals = (principal: Principal) => [30, 20, 1].map((bytes) => refusal(placeOf(principal), bytes));
  expect(refusals(ADMIN)).toEqual([undefined, undefined, "user_bodies_full"]);
  expect(refusals(userPrincipal("one"))).toEqual([undefined, undefined, "user_bodies_full"]);
});

test("a body that grows counts once, and is refused as soon as it does not fit", () => {
  const { room, placeOf } = createRoom();
  placeOf(userPrincipal("other")).grow(50);
  const place = placeOf(userPrincipal("one"));
  expect([20, 20, 20].map((bytes) => refusal(place, bytes))).toEqual([undefined, undefined, "bodies_full"]);
  place.leave();
  place.leave();
  expect(room.bytes).toBe(50);
});

test("a body that is larger than the room fits as long as nothing else is there", () => {
  const { placeOf } = createRoom();
  const large = placeOf(ADMIN);
  expect(refusal(large, 150)).toBeUndefined();
  expect(refusal(placeOf(userPrincipal("one")), 1)).toBe("bodies_full");
  large.leave();
  expect(refusal(placeOf(userPrincipal("one")), 1)).toBeUndefined();
});
