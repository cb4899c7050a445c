package sqlite_test

import (
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/store"
)

// A statement that has been compiled is not compiled anew for other values.
func TestAStatementIsCompiledOnce(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	defer s.Close()
	compiled := s.Compiled()
	at, n := store.Position{}, 0
	use := func() {
		n++
		c := store.Commit{From: at, To: store.Position{Epoch: 1, Seq: at.Seq + 1}}
		at = c.To
		c.Profiles = []store.Row{{ID: someone(n % 7), Alarm: event.Time(n), Body: []byte("hot"), Rest: []byte("rest")}}
		c.Memberships = []store.Membership{{Segment: 1, Profile: someone(n), In: true}}
		if err := s.Commit(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		if rows, err := s.Load(t.Context(), []identity.ID{someone(n % 7), someone(9)}); err != nil || string(rows[0].Body) != "hotrest" {
			t.Fatal(rows, err)
		}
		if rows, err := s.Census(t.Context(), 1, int64(n), identity.ID{}, identity.ID{255, 255}, n, nil); err != nil || len(rows) == 0 {
			t.Fatal(rows, err)
		}
		if _, err := s.Members(t.Context(), 1, someone(n), n); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 { // readers take turns
		use()
	}
	before := compiled.Load()
	for range 50 {
		use()
	}
	if again := compiled.Load() - before; before == 0 || again > 0 {
		t.Errorf("SQLite asked %d times whether it may compile what it had not, and then %d times more", before, again)
	}
}
