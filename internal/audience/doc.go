// Package audience counts whom a condition is about.
//
// A shop that writes a segment wants to see, before anything is sent, how many
// customers it means, some of them, and how many of those a message would reach: by
// each channel, after consent, after the rules that protect the customer. A [Desk]
// answers that for conditions that nobody saved, by asking everybody in the
// background ([Desk.Preview]), and for segments in force from their members
// ([Desk.Overlap]). Every count is exact as of the customers that are committed;
// what was heard within the last second may be missing.
//
// Nothing here changes a customer.
package audience
