package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// BenchmarkCustomersOfAMillion lists and finds customers in a store of a million of them
// on disk: pages of two hundred from anywhere in the list, one customer by address, the
// members of a segment that all are in, and messages of which each got one. It measures
// the whole answer of the API. Each is to take less than 200 ms.
func BenchmarkCustomersOfAMillion(b *testing.B) {
	const customers, step = 1_000_000, 20_000
	dir := b.TempDir()
	s, err := sqlite.Open(b.Context(), sqlite.Options{Dir: dir, Sync: "off"})
	if err != nil {
		b.Fatal(err)
	}
	w := worldOn(b, s)
	home := identity.Key{7}
	pos, err := s.Position(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	for from := 0; from < customers; from += step {
		c := &store.Commit{From: pos, To: store.Position{Epoch: pos.Epoch, Seq: pos.Seq + 1}}
		for i := from; i < from+step; i++ {
			user := identity.Identifier{Kind: identity.User, Value: fmt.Sprintf("person-%d", i)}
			email := identity.Identifier{Kind: identity.Email, Value: fmt.Sprintf("person-%d@people.example", i)}
			p := profile.New(home.Home(user))
			p.Birth, p.Born, p.First, p.Last, p.Count = user, noon-1, noon-9e9, noon-1, int64(i%90)
			p.Held = []profile.Held{{Identifier: user, State: profile.Owned, At: noon}, {Identifier: email, State: profile.Owned, At: noon}}
			p.Traits = []profile.Trait{{Name: "first_name", Value: event.Text("Ada"), At: noon}}
			for o := range i % 7 {
				p.Orders = append(p.Orders, profile.Order{ID: fmt.Sprint(i, "-", o), Kind: profile.Completed, At: noon - event.Time(1e9+o), Net: 20 * money.One, Currency: "GBP"})
			}
			c.Profiles = append(c.Profiles, store.Row{ID: p.ID, Alarm: event.Never, Body: p.Append(nil)})
			sign := profile.New(home.Home(email))
			sign.Birth, sign.Born, sign.Owner = email, noon-1, p.ID
			c.Profiles = append(c.Profiles, store.Row{ID: sign.ID, Alarm: event.Never, Body: sign.Append(nil)})
			c.Memberships = append(c.Memberships, store.Membership{Segment: condition.SegmentKey("one-time"), Profile: p.ID, In: true})
			d := store.Delivery{Profile: p.ID, Changed: noon}
			d.ID, d.State, d.Channel, d.Purpose, d.Journey, d.Step, d.Template = profile.DeliveryID(p.ID), profile.Accepted, "email", "marketing", "welcome", "hello", "welcome"
			c.Deliveries = append(c.Deliveries, d)
		}
		slices.SortFunc(c.Profiles, func(x, y store.Row) int { return x.ID.Compare(y.ID) })
		if err := s.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
		pos = c.To
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	dice := rand.New(rand.NewPCG(1, 2))
	measure := func(name string, ask func() *httptest.ResponseRecorder) {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				a := ask()
				took = append(took, time.Since(began))
				if a.Code != 200 {
					b.Fatalf("answered %d %s", a.Code, a.Body)
				}
			}
			slices.Sort(took)
			at := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1e3 }
			b.ReportMetric(at(.5), "p50-ms")
			b.ReportMetric(at(.99), "p99-ms")
		})
	}
	send := func(method, path string, sent any) *httptest.ResponseRecorder {
		body, err := json.Marshal(sent)
		if err != nil {
			b.Fatal(err)
		}
		r := httptest.NewRequest(method, "/api/v1"+path, bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+w.secret)
		a := httptest.NewRecorder()
		w.api.ServeHTTP(a, r)
		return a
	}
	pages := func(path string) func() *httptest.ResponseRecorder {
		cursor := ""
		return func() *httptest.ResponseRecorder {
			a := send("GET", path+"limit=200&cursor="+cursor, nil)
			var page list
			if err := json.Unmarshal(a.Body.Bytes(), &page); err != nil || len(page.Data) == 0 {
				b.Fatalf("a page of %d: %v %.200s", len(page.Data), err, a.Body)
			}
			cursor = page.Next
			return a
		}
	}
	measure("page", pages("/customers?"))
	measure("members", pages("/segments/one-time/members?"))
	measure("messages", pages("/deliveries?state=accepted&"))
	measure("search", func() *httptest.ResponseRecorder {
		return send("POST", "/customers/search", map[string]string{"identifier": fmt.Sprintf("person-%d@people.example", dice.IntN(customers))})
	})
	measure("choices", func() *httptest.ResponseRecorder { return send("GET", "/conditions/choices?from=traits", nil) })
}
