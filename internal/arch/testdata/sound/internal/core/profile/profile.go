// Package profile does what comes near to breaking a rule.
package profile

import (
	"maps"
	"slices"
	"time"

	_ "github.com/klauspost/compress/s2"
)

type stamp struct{}

// Now is not the clock: it only has its name.
func (stamp) Now() int { return 0 }

func names(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

func copied(m map[string]int) map[string]int {
	c := maps.Collect(maps.All(m))
	maps.Insert(c, maps.All(m))
	return c
}

func sum(m map[string]int) (n int) {
	for _, v := range m { // order does not matter: addition
		n += v
	}
	// order does not matter: addition
	for _, v := range m {
		n += v
	}
	return n
}

func hidden() int {
	time := stamp{}
	return time.Now()
}

func lists(l []int, a [2]int, s string, f func(func(int) bool)) (n int) {
	for range l {
		n++
	}
	for range a {
		n++
	}
	for range s {
		n++
	}
	for range f {
		n++
	}
	for range 3 {
		n++
	}
	return n
}

func later(now time.Time, zone *time.Location) time.Time {
	return now.In(zone).Add(time.Hour).Truncate(24 * time.Hour)
}
