package journey

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
)

// Join unites the journeys of p with those of a profile that joined it, after
// profile.Join has united the rest. Instances unite for each journey and key:
// the one that has come further survives. Whoever has run through a journey on
// one side does not go on in it on the other if its rule lets nobody in twice:
// nobody is welcomed twice. What waits because of an instance that goes is
// recalled. The result does not depend on which of the two is p.
func (s *Set) Join(p, other *profile.Profile) []Recall {
	mine, theirs := p.Journeys, other.Journeys
	var all []profile.Instance
	var recalls []Recall
	keep := func(in *profile.Instance, rivals []profile.Instance, walked []profile.Past, open []profile.Delivery, not []profile.Delivery) {
		why := s.yields(in, rivals, walked)
		if why == "" {
			all = append(all, *in)
			return
		}
		for k := range open {
			d := &open[k]
			if d.Journey != in.Journey || d.Key != in.Key || d.State != profile.Planned && d.State != profile.Claimed {
				continue
			}
			if !slices.ContainsFunc(not, func(x profile.Delivery) bool { return x.ID == d.ID }) {
				recalls = append(recalls, Recall{d.ID, d.Journey, d.Key, why})
			}
		}
	}
	for i := range mine {
		// p.Open holds both sides' messages by now; what is also other's is other's.
		keep(&mine[i], theirs, other.Past, p.Open, other.Open)
	}
	for i := range theirs {
		if !slices.ContainsFunc(mine, func(in profile.Instance) bool { return compareAll(&in, &theirs[i]) == 0 }) {
			keep(&theirs[i], mine, p.Past, other.Open, nil)
		}
	}
	slices.SortFunc(all, compareInstance)
	slices.SortFunc(recalls, func(a, b Recall) int { return slices.Compare(a.Delivery[:], b.Delivery[:]) })
	p.Journeys = all
	p.Past = joinPast(p.Past, other.Past)
	return recalls
}

// yields returns why an instance gives way to the other side; empty if it stays.
func (s *Set) yields(in *profile.Instance, rivals []profile.Instance, walked []profile.Past) string {
	rule := s.rule(in)
	live := false
	for k := range rivals {
		rival := &rivals[k]
		if rival.Journey != in.Journey || rival.Key != in.Key && rule.Rule != Never {
			continue
		}
		live = true
		if further(rival, in) {
			return "the profile was joined with one that had come further in the journey"
		}
	}
	if live {
		return ""
	}
	for k := range walked {
		past := &walked[k]
		if past.Journey != in.Journey {
			continue
		}
		if rule.Rule == Never && past.Times > 0 || rule.Rule == OncePerKey && slices.Contains(past.Keys, wire.Hash(in.Key)) {
			return "the profile was joined with one that had run through the journey"
		}
	}
	return ""
}

// rule returns the re-entry rule that counts for the instance: that of the
// definition in force, else of its own version.
func (s *Set) rule(in *profile.Instance) Reentry {
	if d := s.Definition(in.Journey); d != nil {
		return d.Reentry
	}
	if d := s.Version(in.Journey, in.Version); d != nil {
		return d.Reentry
	}
	return Reentry{}
}

// further reports whether a, rather than b, survives when they unite: it has
// more arrivals, else it was entered earlier. The rest only makes the order total.
func further(a, b *profile.Instance) bool { return compareAll(a, b) < 0 }

func compareAll(a, b *profile.Instance) int {
	held := func(in *profile.Instance) int {
		if in.Held {
			return 0 // who was held out on either side stays held out
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(b.Arrivals, a.Arrivals), cmp.Compare(a.Entered, b.Entered), cmp.Compare(held(a), held(b)),
		cmp.Compare(b.Sent, a.Sent), cmp.Compare(b.Unsent, a.Unsent), cmp.Compare(a.Since, b.Since),
		cmp.Compare(a.Wake, b.Wake), cmp.Compare(a.Check, b.Check), cmp.Compare(b.Version, a.Version),
		strings.Compare(a.Journey, b.Journey), strings.Compare(a.Key, b.Key), strings.Compare(a.Step, b.Step),
		strings.Compare(string(a.Trigger), string(b.Trigger)), cmp.Compare(a.TriggerAt, b.TriggerAt),
		strings.Compare(a.Name, b.Name), strings.Compare(string(a.Props), string(b.Props)),
		strings.Compare(a.Product, b.Product), slices.Compare(a.Waiting[:], b.Waiting[:]), cmp.Compare(a.Burst, b.Burst),
	)
}

// joinPast unites what re-entry rules remember: the latest entry and exit, the
// larger number of entries, the keys of both.
func joinPast(a, b []profile.Past) []profile.Past {
	if len(b) == 0 {
		return a
	}
	all := append(slices.Clone(a), b...)
	slices.SortFunc(all, func(x, y profile.Past) int { return strings.Compare(x.Journey, y.Journey) })
	joined := all[:0]
	for _, p := range all {
		n := len(joined)
		if n == 0 || joined[n-1].Journey != p.Journey {
			joined = append(joined, p)
			continue
		}
		j := &joined[n-1]
		j.Entered, j.Left, j.Times = max(j.Entered, p.Entered), max(j.Left, p.Left), max(j.Times, p.Times)
		j.Keys = joinKeys(j.Keys, p.Keys)
	}
	return joined
}

// joinKeys unites two lists of keys, each with its newest last. There are no
// instants to sort by, so a key's age is its place from the end.
func joinKeys(a, b []uint64) []uint64 {
	type aged struct {
		key uint64
		age int
	}
	var all []aged
	for _, list := range [][]uint64{a, b} {
		for i, key := range list {
			age := len(list) - i
			if k := slices.IndexFunc(all, func(x aged) bool { return x.key == key }); k >= 0 {
				all[k].age = min(all[k].age, age)
			} else {
				all = append(all, aged{key, age})
			}
		}
	}
	slices.SortFunc(all, func(x, y aged) int { return cmp.Or(cmp.Compare(y.age, x.age), cmp.Compare(x.key, y.key)) })
	keys := make([]uint64, 0, len(all))
	for _, x := range all[max(0, len(all)-profile.MaxKeys):] {
		keys = append(keys, x.key)
	}
	return keys
}
