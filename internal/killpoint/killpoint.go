// Package killpoint ends the process at a named place, so that tests can ask
// what a kill at exactly that instant leaves behind.
//
// Random kills seldom hit the few microseconds that matter, such as those
// between the append of a record and the answer to its sender. So the places
// where a kill would hurt most are named, and each calls [Hit]. The calls are in
// every build: what is tested is what is shipped. A call costs one atomic load
// unless a test has armed it.
//
// A process is armed from outside by the environment variable RAPPORT_KILL,
// which names a point and the hit that kills: "after-append:3" is the third time
// that the point after-append is reached. The process then sends itself SIGKILL,
// which no deferred call and no handler survives, as in a power cut but for what
// the operating system still writes. A test inside the process puts a function
// in place of the kill by [Set].
package killpoint

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// Env is the environment variable that arms a process: "name:n", where n counts
// from 1. "name" alone means the first hit. Unset or empty, nothing is armed.
const Env = "RAPPORT_KILL"

// The points. Each is a promise that may break there.
const (
	// AfterAppend is after a record is durable in the log and before its sender
	// is answered. The sender will send again; the events must count once.
	AfterAppend = "after-append"
	// AfterApply is after the core has folded a record into the profiles in
	// memory and before anything of it is committed. A restart must come to the
	// same state and the same decisions.
	AfterApply = "after-apply"
	// BeforeCommit is inside a commit of state, when everything is written and
	// the transaction is still open. None of it may be seen after a restart.
	BeforeCommit = "before-commit"
	// AfterCommit is after a commit of state and before anyone hears of it. A
	// restart must not apply its records again.
	AfterCommit = "after-commit"
	// BeforeForward is after a commit and before the records for other profiles
	// that it holds are appended. They must leave after a restart, and count once.
	BeforeForward = "before-forward"
	// AfterClaim is after a delivery is claimed and before dispatch has taken it.
	// It is claimed again, since no byte has left.
	AfterClaim = "after-claim"
	// AfterStarted is after `started` is durable and before the first byte goes to
	// the channel. The delivery is `unknown`: nobody can know that no byte left.
	AfterStarted = "after-started"
	// AfterAccept is after the channel accepted a message and before dispatch has
	// noted it. The delivery is `unknown`; marketing is not sent again.
	AfterAccept = "after-accept"
	// BeforeOutcome is after dispatch has noted an outcome in its ledger and
	// before the receipt is appended to the log. The receipt must follow.
	BeforeOutcome = "before-outcome"
)

// Points lists every point in the order in which a message meets them.
var Points = [...]string{
	AfterAppend, AfterApply, BeforeCommit, AfterCommit, BeforeForward,
	AfterClaim, AfterStarted, AfterAccept, BeforeOutcome,
}

// maxHit bounds n in [Env]. A larger one is a slip of the finger: no test waits
// for a million hits.
const maxHit = 1_000_000

// hook is what a hit calls; nil when nothing is armed, which is always but in tests.
var hook atomic.Pointer[func(name string)]

// A test that kills at a point which does not exist would pass without testing
// anything, so a process refuses to start with one.
func init() {
	armed, err := parse(os.Getenv(Env))
	if err != nil {
		fmt.Fprintf(os.Stderr, "rapport: %s: %v\n", Env, err)
		os.Exit(2)
	}
	if armed != nil {
		hook.Store(&armed)
	}
}

// Hit says that the process has come to the point. It returns at once unless the
// point is armed; armed from outside, at its hit it does not return. It may be
// called from many goroutines.
func Hit(name string) {
	if f := hook.Load(); f != nil {
		(*f)(name)
	}
}

// Set makes f what every hit calls, in place of what was there, and returns a
// function that puts that back. A nil f disarms. It is for tests inside the
// process; since there is one hook, tests that use it do not run in parallel
// with others that come to a point.
func Set(f func(name string)) (restore func()) {
	var next *func(name string)
	if f != nil {
		next = &f
	}
	before := hook.Swap(next)
	return func() { hook.Store(before) }
}

// parse returns the function that a value of [Env] asks for; nil if it is empty.
func parse(value string) (func(name string), error) {
	if value == "" {
		return nil, nil
	}
	point, count, counted := strings.Cut(value, ":")
	if !known(point) {
		return nil, fmt.Errorf("%q is not a point; the points are %s", point, strings.Join(Points[:], ", "))
	}
	nth := int64(1)
	if counted {
		n, err := strconv.ParseInt(count, 10, 64)
		if err != nil || n < 1 || n > maxHit {
			return nil, fmt.Errorf("%q is not a number of hits; write %s:3 for the third, at most %d", count, point, maxHit)
		}
		nth = n
	}
	var hits atomic.Int64
	return func(name string) {
		if name == point && hits.Add(1) == nth {
			die()
		}
	}, nil
}

// die ends the process as kill -9 does. It never returns, so that the goroutine
// which came to the point does nothing more while the signal is on its way.
func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(errors.Join(errors.New("killpoint: the process may not kill itself"), err))
	}
	select {}
}

func known(point string) bool {
	for _, p := range Points {
		if p == point {
			return true
		}
	}
	return false
}
