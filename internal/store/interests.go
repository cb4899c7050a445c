package store

import (
	"context"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// InterestKind is what somebody did with a product.
type InterestKind uint8

// The kinds of interest. They are stored: never renumber.
const (
	Viewed InterestKind = 1
	Carted InterestKind = 2
	Wished InterestKind = 3
	Bought InterestKind = 4
)

// Interest is what one customer did with what is sold under a name.
type Interest struct {
	Key     string // SKU, or the id of a variant or product where the shop names no SKU
	Profile identity.ID
	Kind    InterestKind
	At      event.Time // the latest
	Count   int64      // how often
}

// InterestCommit is what one stretch of a lane's feed says.
type InterestCommit struct {
	Lane  int
	To    uint64     // of the last feed block that was read
	Noted []Interest // the latest At stays, counts are added
	// Dropped are no interests any more, if they are not younger: Key, Profile, Kind, At.
	Dropped []Interest
}

// Interests is who was interested in what: an index of the feed by product, so that
// a change of one product finds its few people among millions. It can be made anew
// from the feed. One process writes it.
type Interests interface {
	// Position returns the last feed block of the lane that was noted; zero: none.
	Position(ctx context.Context, lane int) (uint64, error)

	// Note makes all of c true, or none of it.
	Note(ctx context.Context, c *InterestCommit) error

	// Interested returns all that at most limit customers after an id did with the
	// key, in order of their ids and then of kinds: of those who did something at or
	// after since.
	Interested(ctx context.Context, key string, since event.Time, after identity.ID, limit int) ([]Interest, error)

	// Told returns the number of the last change of the catalogue that everybody
	// was told of; zero: none yet. SetTold sets it.
	Told(ctx context.Context) (int64, error)
	SetTold(ctx context.Context, number int64) error

	// Prune deletes the interests of customers of whom gone reports true, and those
	// of which the latest At is before the instant. It returns how many those were.
	Prune(ctx context.Context, before event.Time, gone func(identity.ID) bool) (int64, error)

	// Close ends this opening. Afterwards every call is Unavailable.
	Close() error
}
