package suggest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/durable"
	"rapport/internal/fault"
)

// kept is what outlasts a process: since when things are sold, and what was
// counted. The rest is made anew of the feed. It names no person.
type kept struct {
	Version  int              `json:"version"`
	Arrivals map[string]int64 `json:"arrivals"` // milliseconds since 1970; 0: from before
	Since    int64            `json:"since"`
	Revenue  int64            `json:"revenue"` // millionths
	Online   int64            `json:"suggested"`
	Counts   counts           `json:"counts"`
	Items    []string         `json:"items"` // suggested at all
}

const keptVersion = 1

// File is the name of the file in a data directory.
const File = "suggest.json"

func (r *Room) recall() error {
	if r.o.File == "" {
		return nil
	}
	b, err := os.ReadFile(r.o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "what was counted of recommendations cannot be read")
	}
	var k kept
	if err := json.Unmarshal(b, &k); err != nil || k.Version != keptVersion {
		return fault.New(fault.Corrupt, r.o.File+" is not of this version: arrivals and counts begin anew")
	}
	r.arrivals.mu.Lock()
	for n, at := range k.Arrivals {
		r.arrivals.since[n] = event.Time(at)
	}
	r.arrivals.mu.Unlock()
	g := &r.given
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts = k.Counts
	g.counts.Since, g.counts.Revenue, g.counts.Online = event.Time(k.Since), money.Micros(k.Revenue), money.Micros(k.Online)
	if g.counts.ByList == nil {
		g.counts.ByList = map[string]int{}
	}
	for _, n := range k.Items {
		g.items[n] = true
	}
	return nil
}

// save writes the file anew: a kill leaves the one before.
func (r *Room) save() error {
	if r.o.File == "" {
		return nil
	}
	k := kept{Version: keptVersion, Arrivals: map[string]int64{}}
	r.arrivals.mu.Lock()
	for n, at := range r.arrivals.since {
		k.Arrivals[n] = int64(at)
	}
	r.arrivals.mu.Unlock()
	g := &r.given
	g.mu.Lock()
	k.Counts, k.Since, k.Revenue, k.Online = g.counts, int64(g.counts.Since), int64(g.counts.Revenue), int64(g.counts.Online)
	k.Counts.ByList = map[string]int{}
	for list, n := range g.counts.ByList {
		k.Counts.ByList[list] = n
	}
	for n := range g.items {
		k.Items = append(k.Items, n)
	}
	g.mu.Unlock()
	slices.Sort(k.Items)
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return fault.Wrap(fault.Unavailable, durable.Write(r.o.File, b), "what was counted of recommendations cannot be kept")
}
