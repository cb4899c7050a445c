// Package arch holds the shape of the code, so that a test keeps it and not the
// memory of whoever reviews.
//
// The shape is the product's loop: the core is a function of the log, ports say
// what it needs of the world, adapters are the world, the shell joins them and
// one command picks the adapters. What each room may import is in layout.go, as
// tables to read; adding a room or a library is a line there, with its reason,
// and a decision in docs/decisions.
//
// [Load] parses the sources of a checkout; nothing is built and nothing is
// fetched. Each rule is a method of [Tree] and returns every [Finding]: where it
// is, what is wrong and what to do instead. The tests of this package apply
// every rule to the checkout that they stand in, and to small trees in testdata
// that break each rule once, so that a rule which no longer finds anything is
// noticed.
package arch
