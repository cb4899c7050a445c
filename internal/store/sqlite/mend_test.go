package sqlite_test

import (
	"path/filepath"
	"slices"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// A row that holds who has entered or left a segment may be damaged like any other.
// The customers know where they are.
func TestADamagedRowOfMembersKeepsNobodyFromOpeningAndIsMadeAnewFromTheCustomers(t *testing.T) {
	t.Parallel()
	const segment, other = uint64(7), uint64(1<<63 + 9)
	for _, c := range []struct{ name, body string }{
		{"cut", "x'0102'"}, {"empty", "x''"}, {"a text", "'nothing'"}, {"neither in nor out", "x'" + "00112233445566778899aabbccddeeff" + "05'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir)
			commit := store.Commit{To: store.Position{Epoch: 1, Seq: 1}}
			var want []identity.ID
			for i := range byte(5) {
				p := profile.New(identity.ID{i + 1})
				in := i%2 == 0
				p.Segments = []profile.Membership{{Key: segment, In: in, Until: event.Never}, {Key: other, In: true, Until: event.Never}}
				commit.Profiles = append(commit.Profiles, store.Row{ID: p.ID, Alarm: event.Never, Body: p.Append(nil)})
				commit.Memberships = append(commit.Memberships, store.Membership{Segment: segment, Profile: p.ID, In: in}, store.Membership{Segment: other, Profile: p.ID, In: true})
				if in {
					want = append(want, p.ID)
				}
			}
			if err := s.Commit(t.Context(), &commit); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			tamper(t, filepath.Join(dir, "state.db"), "UPDATE member_changes SET body = "+c.body+" WHERE segment = 7")
			for _, mended := range []int64{3, 0} { // the second time nothing is damaged
				s = open(t, dir)
				got, err := s.Members(t.Context(), segment, identity.ID{}, 10)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("the members are %v, %v; want %v", got, err, want)
				}
				if all, err := s.Members(t.Context(), other, identity.ID{}, 10); err != nil || len(all) != 5 {
					t.Errorf("the other segment has %v, %v", all, err)
				}
				if stats, err := s.Stats(t.Context()); err != nil || stats["members_mended"] != mended {
					t.Errorf("%d memberships were mended, %v; want %d", stats["members_mended"], err, mended)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
