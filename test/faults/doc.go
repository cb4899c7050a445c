// Package faults holds the tests that hurt the whole product: the built binary is
// killed with -9 at named points and at random instants, its disk is made to fail
// and to fill up, and what it has stored is damaged, while clients and a mail
// server outside of it write down what they were told.
//
// What is tested is what was promised to them, never how: an event that was
// answered 2xx is there once; a message that a mail server took is not sent again;
// whatever nobody can know is counted; a start survives what it finds. Each test
// has the number of the item of the list of faults that it belongs to.
//
// The tests of the parts, down to two workers who hold one delivery, are beside
// package dispatch; what random deaths do to a year of decisions is in package run.
// Forms that are too long for every change begin with TestChaos and want
// RAPPORT_CHAOS to say how many rounds.
package faults
