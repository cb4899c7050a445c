// Package decision is the gate: the one place that protects the customer.
//
// Every wish to say something, an [journey.Intent], passes [Gate.Plan], and what
// was planned passes [Gate.Claim] again right before it goes out, on the fresh
// profile: the same rules, so there is no second copy of one anywhere. The rules
// stand in the order in which breaking them would hurt, law before manners, and
// the first that fails is the reason that is recorded:
//
//  1. the address is erased or suppressed
//  2. no consent for this purpose over this channel
//  3. not reachable on the channel
//  4. satisfied, expired, too late or already said
//  5. just bought: the item, its variants, declared substitutes
//  6. an open complaint, a late order or a conversation
//  7. the global or the journey's holdout
//  8. the attention budget: caps over rolling windows and the minimum gap
//  9. quiet hours and legal windows in every plausible time zone
//
// A service message (an order has shipped) skips 6 to 9: it neither waits nor
// counts. What the gate answers is a [Record]: what allowed the message, every
// rule that was asked with the values that it saw, the outcome and the chance
// with which it came about. A record can be asked again ([Gate.Recheck]) and
// told to people ([Record.Sentence]).
//
// The package is a function of its arguments. A zero [Policy] and a zero [Gate]
// allow nothing.
package decision
