package engine_test

import (
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// What is imported again has the ids that the history knows. It is in the history
// all the same while it waits for its commit.
func TestWhatIsImportedAgainIsInTheHistoryBeforeItsCommit(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		s.says("ada", "", "Product Viewed", nil)
		s.settle()
		ada := s.who(identity.User, "ada").ID
		imports := func(id string, ids ...event.ID) {
			var entries []identity.Addressed
			for _, e := range ids {
				entries = append(entries, identity.Addressed{To: ada, Event: event.Event{
					ID: e, Type: event.Track, Name: "Product Viewed", User: "ada", At: s.clock.Now(), Raw: s.clock.Now(),
					Trust: event.Server, Origin: event.Import, Source: event.ImportSource(id),
				}})
			}
			if err := s.e.Append(t.Context(), entries); err != nil {
				t.Fatal(err)
			}
		}
		undo := func(id string) {
			var b event.Builder
			b.SetText("import", id)
			if err := s.e.Append(t.Context(), []identity.Addressed{{To: ada, Event: event.Event{
				ID: event.ID("undo:" + id), Type: event.System, Name: event.ImportUndone, At: s.clock.Now(), Trust: event.Own, Origin: event.Import, Props: b.Object(),
			}}}); err != nil {
				t.Fatal(err)
			}
		}
		imports("first", "a", "b", "c")
		s.settle()
		undo("first")
		s.settle()
		if p := s.who(identity.User, "ada"); p.Count != 1 {
			t.Fatalf("%d events after the first import was undone, want 1", p.Count)
		}
		imports("again", "a", "b", "c")
		undo("of somebody else")
		s.settle()
		if p := s.who(identity.User, "ada"); p.Count != 4 {
			t.Errorf("%d events, want 4: what was imported again counts", p.Count)
		}
	})
}

// Who is nobody any more after an undo, and comes back, lives again: whoever asks for
// everybody must find them.
func TestWhoComesBackAfterAnUndoLivesAgain(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		known := func() (n int) {
			t.Helper()
			s.settle()
			for _, err := range s.e.Customers(t.Context(), identity.ID{}) {
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			return n
		}
		come := event.Event{
			ID: "a", Type: event.Track, Name: "Product Viewed", User: "ada", At: s.clock.Now(), Raw: s.clock.Now(),
			Trust: event.Server, Origin: event.Import, Source: event.ImportSource("first"),
		}
		s.send(come)
		if n := known(); n != 1 {
			t.Fatalf("%d customers, want ada", n)
		}
		var b event.Builder
		b.SetText("import", "first")
		if err := s.e.Append(t.Context(), []identity.Addressed{{To: s.who(identity.User, "ada").ID, Event: event.Event{
			ID: "undo", Type: event.System, Name: event.ImportUndone, At: s.clock.Now(), Trust: event.Own, Origin: event.Import, Props: b.Object(),
		}}}); err != nil {
			t.Fatal(err)
		}
		if n := known(); n != 0 {
			t.Fatalf("%d customers after the undo, want none", n)
		}
		s.says("ada", "", "Product Viewed", nil)
		if n := known(); n != 1 {
			t.Errorf("%d customers after ada came back, want her", n)
		}
	})
}
