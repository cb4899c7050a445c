// Package profile computes what differs from run to run.
package profile

import (
	"maps"
	"net/url"
	"slices"
	"time"

	clock "time"
)

// Set is a map by another name.
type Set map[string]bool

// Profile has maps in it.
type Profile struct {
	Tags Set
}

func now() (time.Time, time.Duration) {
	return time.Now(), clock.Since(time.Time{}) // want core-clock want core-clock
}

func wait(done chan int) func() time.Time {
	go now()        // want core-goroutine
	select {}       // want core-goroutine
	return time.Now // want core-clock
}

func order(p Profile, q url.Values, byName map[string][]Set) []string {
	var out []string
	for tag := range p.Tags { // want core-map-order
		out = append(out, tag)
	}
	for name := range q { // want core-map-order
		out = append(out, name)
	}
	for _, sets := range byName { // want core-map-order
		for _, set := range sets {
			for tag := range set { // want core-map-order
				out = append(out, tag)
			}
		}
	}
	for range map[int]bool{} { // want core-map-order
		// order does not matter: but this comment is on the line behind.
		out = append(out, "x")
	}
	// order does not matter:
	for tag := range p.Tags { // want core-map-order
		out = append(out, tag)
	}
	for name := range maps.Keys(q) { // want core-map-order
		out = append(out, name)
	}
	return append(out, slices.Collect(maps.Keys(p.Tags))...) // want core-map-order
}

func generic[K comparable, V any, M ~map[K]V](m M) (last K) {
	for k := range m { // want core-map-order
		last = k
	}
	return last
}
