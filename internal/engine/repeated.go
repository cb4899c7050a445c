package engine

import (
	"context"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// repeated asks the history whether the event's id is known, where the profile
// itself cannot tell.
func (l *lane) repeated(ctx context.Context, it *item, e *event.Event) (bool, error) {
	month := anyMonth
	if e.Type == event.System && event.Control(e.Name) || !it.p.Owner.Zero() {
		return false, nil
	}
	switch it.p.Sees(e) {
	case profile.AskMonth:
		month = e.Raw.Month()
	case profile.AskAll:
	default:
		return false, nil
	}
	set := it.seen[month]
	if set == nil {
		var err error
		if set, err = l.fingerprints(ctx, it, month); err != nil {
			return false, err
		}
		if it.seen == nil {
			it.seen = map[int32]map[uint64]struct{}{}
		}
		it.seen[month] = set
	}
	_, known := set[profile.Fingerprint(e.ID)]
	if known && event.Imported(e.Source) {
		return l.counts(ctx, it, e)
	}
	return known, nil
}

func (l *lane) fingerprints(ctx context.Context, it *item, month int32) (map[uint64]struct{}, error) {
	set := map[uint64]struct{}{}
	for _, strand := range append([]identity.ID{it.p.ID}, it.p.Strands...) {
		prints, err := l.e.o.Store.Fingerprints(ctx, strand, month)
		if err != nil {
			return nil, err
		}
		for _, f := range prints {
			set[f] = struct{}{}
		}
		for _, b := range []*batch{l.inflight, l.open} {
			if b == nil {
				continue
			}
			b.past(strand, func(k *kept) {
				if month == anyMonth || k.month == month {
					set[k.print] = struct{}{}
				}
			})
		}
	}
	return set, nil
}
