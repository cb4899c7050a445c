package people_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/fault"
	"rapport/internal/people"
)

const phrase = "three quiet hedgehogs"

// world is a book of people with a clock.
type world struct {
	t    *testing.T
	dir  string
	now  time.Time
	book *people.Book
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)}
	w.open()
	t.Cleanup(func() { w.must(w.book.Close()) })
	return w
}

func (w *world) open() {
	w.t.Helper()
	b, err := people.Open(w.dir, func() time.Time { return w.now })
	w.must(err)
	w.book = b
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) want(err error, kind fault.Kind, what string) {
	w.t.Helper()
	if !fault.Is(err, kind) {
		w.t.Errorf("%s: %v, want %s", what, err, kind)
	}
}

func (w *world) owner() people.Session {
	w.t.Helper()
	s, err := w.book.Found(w.book.SetUp(), "ada@shop.example", "Ada", phrase)
	w.must(err)
	return s
}

func TestPeopleOutliveTheProcessAndTheFilesHoldNothingThatOpens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.owner()
	_, text, err := w.book.Invite(s.Person, "bob@shop.example", people.Marketer)
	w.must(err)
	_, err = w.book.Begin(people.Actor{Kind: "person", ID: s.Person.ID}, "put_definitions", "/definitions")
	w.must(err)
	w.must(w.book.Close())
	for _, name := range []string{"people.json", "audit.log"} {
		b, err := os.ReadFile(filepath.Join(w.dir, name))
		w.must(err)
		for _, secret := range []string{s.Token, text, phrase} {
			if strings.Contains(string(b), secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
		if info, err := os.Stat(filepath.Join(w.dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is for others: %v", name, info.Mode())
		}
	}
	w.open()
	if p, ok := w.book.Find(s.Token); !ok || p != s.Person {
		t.Errorf("the session is of %+v, %t", p, ok)
	}
	if w.book.SetUp() != "" {
		t.Error("there is a set-up link beside an owner")
	}
	_, err = w.book.SignIn(" ADA@shop.example ", phrase)
	w.must(err)
	_, err = w.book.Join(text, "Bob", phrase)
	w.must(err)
	_, err = w.book.Join(text, "Bob", phrase)
	w.want(err, fault.Denied, "the invitation works twice")
}

func TestWhatIsOldOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.owner()
	_, text, err := w.book.Invite(s.Person, "bob@shop.example", people.Support)
	w.must(err)
	w.now = w.now.Add(8 * 24 * time.Hour)
	if _, ok := w.book.Find(s.Token); ok {
		t.Error("a session holds for more than a week")
	}
	_, err = w.book.Join(text, "Bob", phrase)
	w.want(err, fault.Denied, "an invitation of last week")
	if n := len(w.book.Invitations()); n != 0 {
		t.Errorf("%d old invitations are listed", n)
	}
}

func TestOnlyOwnersMakeOwnersAndTheLastOneStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.owner()
	_, text, err := w.book.Invite(s.Person, "bob@shop.example", people.Admin)
	w.must(err)
	bob, err := w.book.Join(text, "Bob", phrase)
	w.must(err)
	w.want(w.book.Remove(people.Owner, s.Person.ID), fault.Conflict, "the last owner goes")
	_, err = w.book.Appoint(people.Owner, s.Person.ID, people.Admin)
	w.want(err, fault.Conflict, "the last owner steps down")
	_, err = w.book.Appoint(people.Admin, bob.Person.ID, people.Owner)
	w.want(err, fault.Conflict, "an admin makes an owner")
	w.want(w.book.Remove(people.Admin, s.Person.ID), fault.Conflict, "an admin removes an owner")
	_, _, err = w.book.Invite(bob.Person, "eve@shop.example", people.Owner)
	w.want(err, fault.Conflict, "an admin invites an owner")
	_, _, err = w.book.Reset(bob.Person, s.Person.ID)
	w.want(err, fault.Conflict, "an admin takes an owner's password")
	w.must(w.book.Remove(people.Owner, bob.Person.ID))
	if _, ok := w.book.Find(bob.Token); ok {
		t.Error("who was taken out is still signed in")
	}
}

func TestAnotherPasswordByALinkEndsEverySession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.owner()
	_, text, err := w.book.Reset(s.Person, s.Person.ID)
	w.must(err)
	fresh, err := w.book.Join(text, "", "four loud hedgehogs")
	w.must(err)
	if _, ok := w.book.Find(s.Token); ok {
		t.Error("the old session lives")
	}
	if p, ok := w.book.Find(fresh.Token); !ok || p.Name != "Ada" {
		t.Errorf("the new one is of %+v", p)
	}
	_, err = w.book.SignIn("ada@shop.example", phrase)
	w.want(err, fault.Denied, "the old password")
}

func TestADeedIsOnTheDiskBeforeItBeginsAndATornLineIsCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 3 {
		n, err := w.book.Begin(people.Actor{Kind: "key", ID: "k"}, "post_suppressions", "/suppressions")
		w.must(err)
		if i < 2 {
			w.must(w.book.Conclude(n, 201, "done"))
		}
	}
	w.must(w.book.Close())
	path := filepath.Join(w.dir, "audit.log")
	b, err := os.ReadFile(path)
	w.must(err)
	w.must(os.WriteFile(path, append(b, `{"n":4,"at":"20`...), 0o600))
	w.open()
	_, err = w.book.Begin(people.Actor{Kind: "key", ID: "k"}, "post_suppressions", "/suppressions")
	w.must(err)
	list := w.book.Deeds(0, 10, nil)
	if len(list) != 4 || list[0].N != 4 || list[1].Status != 0 || list[2].Status != 201 || list[2].Detail != "done" {
		t.Errorf("the trail is %+v", list)
	}
	if page := w.book.Deeds(3, 1, nil); len(page) != 1 || page[0].N != 2 {
		t.Errorf("before the third is %+v", page)
	}
}
