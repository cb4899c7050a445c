// Package interest tells people of changes of what they were interested in, and
// nobody else.
//
// A [Watcher] reads two things that are there already. The feed tells who looked at
// what, put it into the cart, wished for it or bought it: that becomes an index by
// product. The journal of the catalogue tells what became cheaper, came back or
// runs low: for each such change the index names a few people among millions, and
// each gets an event of their own in the log. From there on the change is something
// that happened to a customer, like a click: the core decides what follows, and a
// replay hears the same.
//
// Each change is told once. The event's id is made of the change's number, so one
// that is told again after a kill is dropped by the profile that knows it.
package interest
