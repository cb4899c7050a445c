// Package suggest keeps what customers look at and buy now, and answers what to
// show whom next.
//
// A [Room] hears every event that was answered, in the moment in which it was: the
// click that has just been acknowledged is in the next list, anonymous or not. It
// lives in memory, within bounds, and is a cache: after a start it is made anew of
// the feed, by what was heard before this process, while what is heard meanwhile
// waits its turn.
//
// What may be shown is asked at the moment of the list: stock and price of the
// catalogue, the customer's purchases of the profile as it is then, by the same
// [recommend.Owning] that the gate asks. What the room itself has heard of a purchase
// a millisecond ago counts before the profile knows of it.
//
// It counts what it gave: how many lists, how many that needed a fallback, how much
// of the catalogue they covered, and which part of the revenue was for what had been
// suggested to the same person shortly before.
package suggest
