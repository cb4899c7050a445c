// Package journey orchestrates: it walks customers through the steps that a shop
// has drawn, and turns steps into wishes to speak.
//
// A [Definition] is a directed graph read from YAML. An instance
// ([profile.Instance]) is one customer in one journey; it lives in the profile
// and is nothing but a place in the graph and the instant at which it goes on. A
// [Set] holds every journey of a program, and the older versions that people are
// still inside.
//
// The package is a function of what the profile has heard. [Set.OnEvent] is
// called after an event was folded into the profile, [Set.OnAlarm] when the
// instant of [Set.Next] or [Set.NextTrigger] has come, and [Set.OnDecision] when
// the gate has answered a wish. Each of them works in one order: first exits and
// goals, then waits for events, then wake-ups that are due, then new entries. So
// whoever buys is out of the journey before anything else may be said.
//
// It promises: an instance that has left wishes nothing more, and what waited
// because of it is recalled; a historical or late event never triggers, and
// still satisfies; one instance for each key; a message that was not let out is
// never counted as sent; and every live instance has a wake-up or waits for an
// event ([Set.Stuck] tells otherwise).
package journey
