// Package condition is the one language of questions about a customer.
//
// Segments, journey triggers, branches, exits, audiences and placements all ask
// in the same tree, which [Parse] compiles into a [Cond]. [Cond.Eval] answers at
// one instant with a [Verdict]: whether it is so, until when that answer stands
// if nothing happens, and why. The second part is why the product needs no
// periodic recomputation: whoever stores the answer also stores the instant at
// which to ask again.
//
// A question about events never reads the history. Each compiles to a series: the
// names of the events, the filter on their properties, what is summed and what
// is counted apart, named by a hash of that question so that all who ask the
// same share it. A [Set] holds the series of one program; [Set.Fold] brings one
// event into those of a profile that ask about its name. Whole-history totals
// are kept as totals; single observations only as long as some window may still
// ask about them.
//
// Rules that everything here follows:
//
//   - A rolling window of length W is (now − W, now]: an event counts at the
//     instant at which it is heard and leaves exactly at its own instant + W.
//   - An observation from the future does not count yet; its instant bounds Until.
//   - Until is a lower bound > now on the first instant at which the answer may
//     change without an event. Waking too early costs a little; too late is wrong.
//   - A day in a duration is 24 hours. A calendar day, a time of day and a date
//     without a time are the customer's own, in their zone.
//   - Amounts of two currencies are never added up: a sum counts observations in
//     one currency, the workspace's unless the question names another, and
//     those that name none.
package condition
