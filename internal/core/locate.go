package core

import (
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/place"
	"rapport/internal/core/profile"
)

// stay is how long somebody may go unheard of within a fence before they enter it
// again: a telephone in a pocket tells where it is a few times an hour.
const stay = 6 * time.Hour

// locate brings the fences and stores that an event tells of into the profile, and
// reports whether anything about the customer's place changed. A receipt and a
// scanned code say by themselves where somebody was; where a telephone is, only
// with consent, which [profile.Profile.Fold] has asked for.
func (r *run) locate(e *event.Event, folded *profile.Folded) bool {
	changed := folded.Place
	span := event.Time(stay.Milliseconds())
	if folded.Located {
		around := r.Places.Around(r.p.Where.Point.Point())
		if len(around) > 0 || len(r.p.Visits) > 0 {
			keys := make([]uint64, len(around))
			for i, f := range around {
				keys[i] = f.Key
			}
			slices.Sort(keys)
			r.p.Enter(keys, e.At, span)
			changed = true
		}
	}
	if e.Name == event.StoreVisited || e.Name == event.OrderCompleted && event.Tills(e) {
		if id := event.StoreOf(e); id != "" && len(id) <= 100 {
			r.p.Drop(place.FenceKey(place.StoreFence(id)), e.At, span)
			changed = true
		}
	}
	r.p.Glimpse(e)
	if folded.Order != nil && !folded.Repeated {
		r.handOver(e, folded.Order)
	}
	return changed
}

// handOver tells that what was looked at on one device was bought on another.
func (r *run) handOver(e *event.Event, o *event.Order) {
	seen, to, sku, ok := r.p.HandsOver(e, o)
	if !ok {
		return
	}
	var b event.Builder
	b.SetText("from", seen.Device).SetText("to", to).SetText("order_id", o.ID).SetText("sku", sku).Set("after", event.Int(int64(e.At-seen.At)))
	r.eff.Facts = append(r.eff.Facts, event.Event{Type: event.System, Name: event.HandedOver, At: e.At, Origin: e.Origin, Trust: event.Own, Props: b.Object()})
}
