package place

import (
	"strings"
	"time"

	"rapport/internal/core/event"
)

// MaxStores bounds the stores of a shop: the largest chains have some tens of
// thousands, and a search that looks at each still ends within a millisecond.
const MaxStores = 50_000

// Store is a place where the shop sells.
type Store struct {
	ID       string
	Name     string
	Kind     string // what the shop calls such a store: "flagship", "outlet"; may be empty
	At       Point
	Street   string
	City     string
	Region   string // state, county
	Postal   string
	Country  string // ISO 3166, two letters
	Phone    string
	Zone     *time.Location // of its wall clock
	Hours    Hours
	Stock    string // the name under which the catalogue counts its stock
	Staff    []string
	Services []string
	Fence    float64 // metres around it that are its surroundings; zero: none
}

// StoreFence is the name of the fence around a store.
func StoreFence(id string) string { return "store/" + id }

// Open reports whether the store is open at the instant, and until when that
// stays; known is false if nobody said when it is.
func (s *Store) Open(now event.Time) (open, known bool, until event.Time) {
	if !s.Hours.Known {
		return false, false, event.Never
	}
	open, until = s.Hours.Open(now, s.Zone)
	return open, true, until
}

// Label is what a person calls the store.
func (s *Store) Label() string {
	switch {
	case s.Name == "" && s.City == "":
		return s.ID
	case s.Name == "":
		return s.City
	case s.City == "" || strings.Contains(s.Name, s.City):
		return s.Name
	}
	return s.Name + ", " + s.City
}
