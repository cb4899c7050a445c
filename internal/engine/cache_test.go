package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
)

// Whatever comes, goes, grows and is held, a row that is there is what was put last,
// and who is held stays.
func TestARowIsWhatWasPutLast(t *testing.T) {
	t.Parallel()
	type parts struct {
		hot, rest []byte
		held      bool
	}
	dice := rand.New(rand.NewPCG(7, 8))
	some := func(most int) []byte {
		b := make([]byte, dice.IntN(most))
		for i := range b {
			b[i] = byte(dice.Uint32())
		}
		return b
	}
	r := engine.NewRows(200_000)
	want := map[identity.ID]*parts{}
	dropped := 0
	for n := range 60_000 {
		id := identity.ID{byte(dice.IntN(200)), 1}
		row, there := r.Take(id)
		w := want[id]
		switch {
		case there != (w != nil) && (there || w.held):
			t.Fatalf("step %d: there %v, want %v", n, there, w != nil)
		case !there && w != nil:
			delete(want, id) // there was no room
			dropped++
		case there && row != string(w.hot)+string(w.rest):
			t.Fatalf("step %d: %d bytes, want %d and %d", n, len(row), len(w.hot), len(w.rest))
		case there:
			if all, hot, rest := r.Copy(id); string(all) != row || hot != len(w.hot) || rest != len(w.rest) {
				t.Fatalf("step %d: a copy in parts of %d and %d bytes, want %d and %d", n, hot, rest, len(w.hot), len(w.rest))
			}
		}
		w = want[id]
		switch k := dice.IntN(20); {
		case k < 8 || k < 14 && w == nil:
			p := &parts{hot: some(4000), rest: some(2000)}
			if w != nil {
				p.held = w.held
			}
			r.Put(id, p.hot, p.rest)
			want[id] = p
		case k < 14:
			w.hot = some(4000)
			r.PutHot(id, w.hot)
		case k < 16 && w != nil:
			w.held = dice.IntN(3) == 0
			r.Hold(id, w.held)
		case k < 17:
			r.Drop(id)
			delete(want, id)
		case k == 19 && n%1000 == 0:
			r.Clear()
			clear(want)
		default:
			r.Shrink()
			held := 0
			for _, w := range want {
				if w.held {
					held += (len(w.hot)+251)/252 + (len(w.rest)+251)/252
				}
			}
			if used, limit, _ := r.Blocks(); used > max(limit, held) {
				t.Fatalf("step %d: %d blocks in use, %d allowed, %d held", n, used, limit, held)
			}
		}
	}
	if dropped == 0 {
		t.Error("there was always room: the test tests nothing")
	}
	if used, limit, most := r.Blocks(); most > 4*limit {
		t.Errorf("%d blocks of memory for %d in use of %d", most, used, limit)
	}
}

// bodies returns the rows of a store.
func (s *shop) bodies() map[identity.ID][]byte {
	s.t.Helper()
	rows, err := s.store.Profiles(s.t.Context(), identity.ID{}, 100_000)
	if err != nil {
		s.t.Fatal(err)
	}
	all := map[identity.ID][]byte{}
	for i := range rows {
		all[rows[i].ID] = rows[i].Body
	}
	return all
}

// A cache that has no room keeps everybody encoded, those too who wait for their
// commit, and its store ends as that of a cache with room.
func TestWhoRestsWithChangesIsWhoTheyWere(t *testing.T) {
	t.Parallel()
	for _, dirty := range []int{1, 3000, 1 << 30} {
		t.Run(fmt.Sprint(dirty), func(t *testing.T) {
			t.Parallel()
			roomy, small := open(t, 1), open(t, 1)
			e, err := engine.Open(t.Context(), engine.Options{
				Log: small.log, Store: small.store, Key: small.key, Now: small.clock.Now, Virtual: true, CacheBytes: 1, DirtyBytes: dirty,
				Programs: func(_ context.Context, hash uint64) (*core.Program, error) { return empty(t, small.key, hash), nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			small.e = e
			for _, s := range []*shop{roomy, small} {
				dice := rand.New(rand.NewPCG(3, 4))
				for n := range 1500 {
					user := fmt.Sprint("user-", dice.IntN(60))
					switch k := dice.IntN(12); {
					case k == 0:
						s.says(user, "", "Signed In", map[string]string{"first_name": fmt.Sprint("name ", n)})
					case k == 1:
						s.says(user, fmt.Sprint("device-", dice.IntN(90)), "Signed In", nil)
					case k == 2 && n%40 == 0:
						if err := s.e.Switch(t.Context(), uint64(n)); err != nil {
							t.Fatal(err)
						}
					case k == 3 && n%10 == 0:
						s.settle()
					case k == 4:
						var b event.Builder
						b.Set("value", event.Int(int64(n)))
						s.n++
						s.send(event.Event{
							ID: event.ID(fmt.Sprint("o", s.n)), Type: event.Track, Name: "Order Completed", User: user, At: s.clock.Now(), Raw: s.clock.Now(), Trust: event.Server, Props: b.Object(),
						})
					default:
						s.says(user, "", "Product Viewed", nil)
					}
				}
				s.settle()
			}
			want, got := roomy.bodies(), small.bodies()
			if len(want) != len(got) || len(want) < 100 {
				t.Fatalf("%d rows, want %d", len(got), len(want))
			}
			for id, body := range want {
				if !bytes.Equal(got[id], body) {
					p, _ := profile.Decode(string(body))
					q, _ := profile.Decode(string(got[id]))
					t.Errorf("%s: %+v\nwant %+v", id, q, p)
				}
			}
			var ids []identity.ID
			for id := range want {
				ids = append(ids, id)
			}
			slices.SortFunc(ids, identity.ID.Compare)
			for _, id := range ids[:20] {
				p, err := small.e.Profile(t.Context(), id)
				if err != nil || p == nil {
					t.Errorf("%s: %v, %v", id, p, err)
				}
			}
		})
	}
}
