// Package rhythm finds when customers are there, and whether that is their own
// rhythm or only the shop's.
//
// Two questions, two answers.
//
// When to write ([Hours]): the hour of the week at which a person answers on a
// channel. People answer soon after they are written to, so what is counted is
// set against what was to be expected from when they were written to and how
// soon everybody answers. What is left is the person's own, and it is drawn
// towards the peers by as much as it rests on little. Where nothing of it stands
// out beyond chance, the answer is the peers' hour, and says so. Only what a
// human did counts: machines open mail at the moment it arrives.
//
// Why they come ([Find]): a weekday, a part of the day, an hour or a month in
// which a person or a segment buys more than the shop's own calendar has it. A
// shop that is closed on Saturdays has no customers who avoid them. The chance
// of each finding is exact, and of all that is found in one search at most
// [Errors] are expected to be chance (Benjamini and Hochberg 1995).
package rhythm
