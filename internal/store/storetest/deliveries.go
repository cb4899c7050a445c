package storetest

import (
	"math"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

func dueDeliveries(t *testing.T, open Open) {
	s := opened(t, open)
	newWriter(t, s).commit(store.Commit{Deliveries: []store.Delivery{
		planned(1, 1, "email", 5, 10), planned(2, 2, "email", -1, 20), planned(3, 3, "sms", 0, 5),
		planned(5, 1, "email", 5, 10), planned(4, 1, "email", 5, 9), planned(6, 1, "email", -1, 31), planned(7, 1, "push", 5, 10),
	}})
	for _, test := range []struct {
		name    string
		channel string
		now     event.Time
		limit   int
		want    []profile.DeliveryID
	}{
		{"priority before instant before id", "email", 30, 100, parcels(2, 4, 1, 5)},
		{"within the limit", "email", 30, 2, parcels(2, 4)},
		{"at its instant", "email", 31, 2, parcels(2, 6)},
		{"the soon ones do not hide behind the urgent", "email", 9, 100, parcels(4)},
		{"another channel", "sms", 30, 100, parcels(3)},
		{"a channel of nobody", "fax", 30, 100, nil},
		{"every channel in one order", "", 30, 100, parcels(2, 3, 4, 1, 5, 7)},
		{"every channel within the limit", "", 30, 3, parcels(2, 3, 4)},
		{"none", "", 4, 100, nil},
	} {
		got, err := s.DueDeliveries(t.Context(), test.channel, test.now, test.limit)
		equal(t, test.name, parcelsOf(must(t, got, err)), test.want)
	}
	for _, test := range []struct {
		name     string
		from, to int32
		limit    int
		want     []profile.DeliveryID
	}{
		{"of any priority", math.MinInt32, math.MaxInt32, 100, parcels(2, 3, 4, 1, 5, 7)},
		{"of one priority", 0, 0, 100, parcels(3)},
		{"of those behind it", 1, math.MaxInt32, 100, parcels(4, 1, 5, 7)},
		{"of those behind it, within the limit", 1, math.MaxInt32, 1, parcels(4)},
		{"of a priority of nobody", math.MinInt32, -1000, 100, nil},
	} {
		got, err := s.DueWithin(t.Context(), test.from, test.to, 30, test.limit)
		equal(t, test.name, parcelsOf(must(t, got, err)), test.want)
	}
	got, err := s.DueDeliveries(t.Context(), "sms", 30, 1)
	equal(t, "the reference", must(t, got, err), []store.Ref{{ID: parcel(3), Profile: person(3), Channel: "sms", NotBefore: 5}})
}

func noLongerPlanned(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{Deliveries: []store.Delivery{planned(1, 1, "email", 0, 1), planned(2, 1, "email", 0, 1), planned(3, 1, "email", 0, 1)}})
	claimed := planned(1, 1, "email", 0, 1)
	claimed.State, claimed.Fence, claimed.Deadline = profile.Claimed, 4, 90
	put := planned(2, 1, "email", 0, 50)
	w.commit(store.Commit{Deliveries: []store.Delivery{claimed, put}})
	got, err := s.DueDeliveries(t.Context(), "email", 10, 10)
	equal(t, "due", parcelsOf(must(t, got, err)), parcels(3))
	refs, err := s.InState(t.Context(), profile.Claimed, profile.DeliveryID{}, 10)
	equal(t, "claimed", must(t, refs, err), []store.Ref{{ID: parcel(1), Profile: person(1), Channel: "email", NotBefore: 1, Deadline: 90, Fence: 4}})
	// A claim that was lost is planned again.
	w.commit(store.Commit{Deliveries: []store.Delivery{planned(1, 1, "email", 0, 1)}})
	got, err = s.DueDeliveries(t.Context(), "email", 10, 10)
	equal(t, "due", parcelsOf(must(t, got, err)), parcels(1, 3))
}

func neverDue(t *testing.T, open Open) {
	s := opened(t, open)
	newWriter(t, s).commit(store.Commit{Deliveries: []store.Delivery{planned(1, 1, "email", 0, event.Never)}})
	got, err := s.DueDeliveries(t.Context(), "email", event.Never-1, 10)
	equal(t, "due", parcelsOf(must(t, got, err)), parcels())
	next, err := s.NextDelivery(t.Context())
	equal(t, "next", must(t, next, err), event.Never)
	d, err := s.Delivery(t.Context(), parcel(1))
	equal(t, "the delivery", must(t, d, err), planned(1, 1, "email", 0, event.Never))
}

func nextDelivery(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	next := func() event.Time {
		t.Helper()
		at, err := s.NextDelivery(t.Context())
		return must(t, at, err)
	}
	equal(t, "of none", next(), event.Never)
	w.commit(store.Commit{Deliveries: []store.Delivery{planned(1, 1, "email", 0, 40), planned(2, 1, "sms", 9, 20)}})
	equal(t, "of two", next(), event.Time(20))
	gone := planned(2, 1, "sms", 9, 20)
	gone.State = profile.Recalled
	w.commit(store.Commit{Deliveries: []store.Delivery{gone}})
	equal(t, "of one", next(), event.Time(40))
}

func inState(t *testing.T, open Open) {
	s := opened(t, open)
	var all []store.Delivery
	for n := 1; n <= 6; n++ {
		d := planned(n, 1, "email", 0, 1)
		if n%2 == 0 {
			d.State = profile.Started
		} else {
			d.State = profile.Accepted
		}
		all = append(all, d)
	}
	newWriter(t, s).commit(store.Commit{Deliveries: all})
	for _, test := range []struct {
		name  string
		state profile.State
		after profile.DeliveryID
		limit int
		want  []profile.DeliveryID
	}{
		{"open ones by id", profile.Started, profile.DeliveryID{}, 10, parcels(2, 4, 6)},
		{"open ones after an id", profile.Started, parcel(2), 10, parcels(4, 6)},
		{"final ones", profile.Accepted, profile.DeliveryID{}, 2, parcels(1, 3)},
		{"final ones after an id", profile.Accepted, parcel(3), 2, parcels(5)},
		{"none", profile.Planned, profile.DeliveryID{}, 10, nil},
	} {
		got, err := s.InState(t.Context(), test.state, test.after, test.limit)
		equal(t, test.name, parcelsOf(must(t, got, err)), test.want)
	}
}

// whole is a delivery with something in every field.
func whole() store.Delivery {
	return store.Delivery{
		Delivery: profile.Delivery{
			ID: parcel(8), State: profile.Dropped, Class: profile.Service, Channel: "email", Purpose: "news", Journey: "winback",
			Version: 1<<64 - 1, Step: "ask", Key: "k", Template: "t", Reason: "She asked.", Product: "boots", Category: "shoes",
			Priority: -7, Fence: 1<<63 + 5, Planned: 1, NotBefore: 2, Expires: 3, Deadline: 4,
		},
		Profile: person(9), Because: "no_consent", Changed: 77, Plan: []byte("plan"), Claim: []byte("claim"), Outcome: "250 ok",
	}
}

func wholeDelivery(t *testing.T, open Open) {
	s := opened(t, open)
	newWriter(t, s).commit(store.Commit{Deliveries: []store.Delivery{whole()}})
	got, err := s.Delivery(t.Context(), parcel(8))
	equal(t, "delivery", must(t, got, err), whole())
	refs, err := s.InState(t.Context(), profile.Dropped, profile.DeliveryID{}, 10)
	equal(t, "reference", must(t, refs, err), []store.Ref{{ID: parcel(8), Profile: person(9), Channel: "email", NotBefore: 2, Deadline: 4, Fence: 1<<63 + 5, Priority: -7}})
}

func keeps(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{Deliveries: []store.Delivery{whole()}})
	next := whole()
	next.State, next.Because, next.Changed = profile.Accepted, "", 99
	next.Plan, next.Claim, next.Outcome = nil, nil, ""
	w.commit(store.Commit{Deliveries: []store.Delivery{next}})
	next.Plan, next.Claim, next.Outcome = []byte("plan"), []byte("claim"), "250 ok"
	got, err := s.Delivery(t.Context(), parcel(8))
	equal(t, "with nothing told", must(t, got, err), next)

	next.Claim, next.Outcome, next.Plan = []byte("claim 2"), "550 no", nil
	w.commit(store.Commit{Deliveries: []store.Delivery{next}})
	next.Plan = []byte("plan")
	got, err = s.Delivery(t.Context(), parcel(8))
	equal(t, "with a new claim and outcome", must(t, got, err), next)

	bare := planned(1, 1, "email", 0, 1)
	w.commit(store.Commit{Deliveries: []store.Delivery{bare}})
	got, err = s.Delivery(t.Context(), parcel(1))
	if must(t, got, err); got.Plan != nil || got.Claim != nil {
		t.Fatalf("a delivery without decisions has plan %q and claim %q, want nil", got.Plan, got.Claim)
	}
}

func noDelivery(t *testing.T, open Open) {
	s := opened(t, open)
	_, err := s.Delivery(t.Context(), parcel(1))
	refused(t, err, fault.NotFound)
}

func deliveriesOf(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	var all []store.Delivery
	for n := 1; n <= 5; n++ {
		d := planned(n, 1, "email", 0, 1)
		d.Planned = event.Time(100 - n%3)
		all = append(all, d)
	}
	w.commit(store.Commit{Deliveries: append(all, planned(6, 2, "email", 0, 1))})
	order := func(limit int) (got []profile.DeliveryID) {
		t.Helper()
		found, err := s.DeliveriesOf(t.Context(), person(1), limit)
		for _, d := range must(t, found, err) {
			got = append(got, d.ID)
		}
		return got
	}
	equal(t, "deliveries", order(10), parcels(3, 1, 4, 2, 5))
	equal(t, "the newest", order(2), parcels(3, 1))
	// After a merge a delivery may belong to another profile.
	moved := all[2]
	moved.Profile = person(2)
	w.commit(store.Commit{Deliveries: []store.Delivery{moved}})
	equal(t, "deliveries", order(10), parcels(1, 4, 2, 5))
	none, err := s.DeliveriesOf(t.Context(), person(3), 10)
	equal(t, "deliveries of nobody", must(t, none, err), []store.Delivery{})
}

func allDeliveries(t *testing.T, open Open) {
	s := opened(t, open)
	const n = 1200
	var all []store.Delivery
	for i := n - 1; i >= 0; i-- {
		all = append(all, planned(i, 1, "email", 0, 1)) // 0: the zero id too
	}
	newWriter(t, s).commit(store.Commit{Deliveries: all})
	i := 0
	for d, err := range s.Deliveries(t.Context()) {
		if err != nil {
			t.Fatalf("Deliveries = %v", err)
		}
		if d.ID != parcel(i) {
			t.Fatalf("delivery %d = %s, want %s", i, d.ID, parcel(i))
		}
		i++
	}
	equal(t, "rows", i, n)
	for _, err := range s.Deliveries(cancelled(t)) {
		ended(t, err)
	}
}

func commitBetween(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{Deliveries: []store.Delivery{planned(1, 1, "email", 0, 1), planned(2, 1, "email", 0, 1), planned(3, 1, "email", 0, 1)}})
	seen := 0
	for d, err := range s.Deliveries(t.Context()) {
		if err != nil {
			t.Fatalf("Deliveries = %v", err)
		}
		d.State = profile.Recalled
		w.commit(store.Commit{Deliveries: []store.Delivery{d}})
		if seen++; seen == 2 {
			break
		}
	}
	refs, err := s.InState(t.Context(), profile.Planned, profile.DeliveryID{}, 10)
	equal(t, "still planned", parcelsOf(must(t, refs, err)), parcels(3))
}

func counts(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	make1 := func(n int, state profile.State, journey, because string) store.Delivery {
		d := planned(n, n, "email", 0, 1)
		d.State, d.Journey, d.Because = state, journey, because
		return d
	}
	w.commit(store.Commit{Deliveries: []store.Delivery{
		make1(1, profile.Planned, "b", ""), make1(2, profile.Planned, "a", ""), make1(3, profile.Planned, "b", ""), make1(4, profile.Dropped, "a", "bought"),
	}})
	w.commit(store.Commit{Deliveries: []store.Delivery{make1(3, profile.Dropped, "a", "bought"), make1(5, profile.Dropped, "a", "no_consent")}})
	got, err := s.DeliveryCounts(t.Context())
	equal(t, "counts", must(t, got, err), []store.DeliveryCount{
		{State: profile.Planned, Journey: "a", Channel: "email", Count: 1},
		{State: profile.Planned, Journey: "b", Channel: "email", Count: 1},
		{State: profile.Dropped, Journey: "a", Channel: "email", Because: "bought", Count: 2},
		{State: profile.Dropped, Journey: "a", Channel: "email", Because: "no_consent", Count: 1},
	})
}
