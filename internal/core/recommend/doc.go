// Package recommend suggests what a customer may want next.
//
// There is no single list. What somebody who looks at lamps looks at next, what is
// bought together with a lamp, what runs out at home and what everybody wants this
// week are different questions, so each is a list of its own with its own method:
//
//	session         what visits like this one went on to ([Index], [Method])
//	together        what is bought with it ([Index] over baskets)
//	new             what people with the same taste bought and she did not
//	replenish       what she buys again and again, by the date it is needed
//	popular         what is bought most, anywhere, in a segment or in a store
//	trending        what is looked at more than it was
//	arrivals        what the shop sells since lately
//	similar         what is described alike
//	search          what people looked at after the same words
//
// [Mix] joins lists by weights and falls back from one to the next. What must not
// be shown is left out when a list is served ([Rules]), not when it is learnt: stock
// changes by the minute. A list that has less to say is short. It is never filled up
// with what happens to be there.
//
// [Owning] is the rule about what somebody just bought. It is one function, asked by
// the gate for messages and by every list.
//
// Everything here is a function of its arguments. An Index is changed in place and
// belongs to one goroutine at a time, or to many that only ask.
package recommend
