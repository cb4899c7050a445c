package erase_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/erase"
	"rapport/internal/fault"
)

var key = identity.Key{7}

func home(kind identity.Kind, value string) identity.ID {
	id, _ := identity.Normal(kind, value)
	return key.Home(id)
}

func list(t *testing.T, homes ...identity.ID) *erase.List {
	t.Helper()
	l := &erase.List{}
	if err := l.Add(erase.Entry{At: 1, Homes: homes}); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTheListIsThereAfterACrashAndKnowsDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), erase.File)
	open := func() *erase.List {
		t.Helper()
		l, err := erase.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	a, b, c := home(identity.Email, "a@shop.example"), home(identity.Email, "b@shop.example"), home(identity.User, "c")
	for _, e := range []erase.Entry{{At: 5, Homes: []identity.ID{a, b}, Subjects: [][16]byte{{1}, {2}}}, {At: 6, Homes: []identity.ID{b}}, {At: 7, Homes: []identity.ID{b, c}}} {
		if err := l.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if since, wait := l.Waiting(); !wait || since != 5 {
		t.Error("nobody has swept, and it is said to be done")
	}
	l.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A crash in the middle of a line loses that line alone.
	if err := os.WriteFile(path, append(slices.Clone(whole), "erased 9 00"...), 0o600); err != nil {
		t.Fatal(err)
	}
	l = open()
	if got := l.Entries(); len(got) != 2 || !slices.Equal(got[0].Homes, []identity.ID{a, b}) || len(got[0].Subjects) != 2 || !slices.Equal(got[1].Homes, []identity.ID{c}) {
		t.Errorf("entries = %+v", got)
	}
	if !l.Has(a) || !l.Has(c) || l.Has(home(identity.Email, "d@shop.example")) {
		t.Error("the list does not know whom it holds")
	}
	if err := l.Sweep(7); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = open()
	if _, wait := l.Waiting(); wait {
		t.Error("the sweep is forgotten")
	}
	l.Close()
	for i := range whole {
		bent := slices.Clone(whole)
		bent[i] ^= 1
		if strings.Count(string(bent), "\n") != strings.Count(string(whole), "\n") {
			continue // a line that is longer or cut off at the end is a crash
		}
		if err := os.WriteFile(path, bent, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := erase.Open(path); !fault.Is(err, fault.Corrupt) {
			t.Fatalf("byte %d changed: %v, want Corrupt", i, err)
		}
	}
}

func TestATextThatNamesAnErasedPersonIsFound(t *testing.T) {
	t.Parallel()
	l := list(t, home(identity.Email, "ada@shop.example"), home(identity.Phone, "+447946000001"), home(identity.User, "cust-4711"))
	for text, want := range map[string]bool{
		`{"email":"Ada@Shop.example"}`:                       true,
		"550 5.1.1 <ada@shop.example>: no such user":         true,
		"https://shop.example/?mail=ada@shop.example&x=1":    true,
		"call +44 (7946) 000-001, please":                    true,
		`{"userId":"cust-4711","x":1}`:                       true,
		"write to ada@shop.example.":                         true,
		`{"email":"adaa@shop.example","userId":"cust-4712"}`: false,
		"+44":  false,
		"":     false,
		"++++": false,
	} {
		if got := l.Mentions(key, text); got != want {
			t.Errorf("Mentions(%q) = %t", text, got)
		}
	}
	if (&erase.List{}).Mentions(key, "ada@shop.example") {
		t.Error("a list of nobody finds somebody")
	}
}

func TestAnEventOfAnErasedPersonIsKnownByAnyIdentifier(t *testing.T) {
	t.Parallel()
	l := list(t, home(identity.Email, "ada@shop.example"))
	traits := (&event.Builder{}).SetText("email", " ADA@shop.example ").Object()
	if !l.Speaks(key, &event.Event{Type: event.Identify, User: "somebody-new", Traits: traits}) {
		t.Error("her address under a new id is not known")
	}
	if l.Speaks(key, &event.Event{Type: event.Identify, User: "ada@shop.example"}) {
		t.Error("a user id that looks like her address is another identifier")
	}
}

func TestAScanSeesNamesBordersAndCapitals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const needle = "canary-word"
	write := func(name, body string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("clean", strings.Repeat("canary_word", 10))
	for shift := range len(needle) + 1 { // across the border of what is read at once
		write("border/"+strings.Repeat("i", shift+1), strings.Repeat("x", 1<<20-shift)+needle+"tail")
	}
	write("deep/er/capitals", "CANARY-Word")
	write("deep/canary-word.txt", "")
	found, err := erase.Scan(t.Context(), dir, []string{needle, "short"}, func(_ context.Context, yield func(string, []byte) error) error {
		return yield("a block", []byte("..canary-word"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != len(needle)+1+3 || strings.Contains(erase.Say(found), "clean") {
		t.Errorf("found %d places:\n%s", len(found), erase.Say(found))
	}
	if _, err := erase.Scan(t.Context(), dir, []string{"ada"}); err == nil {
		t.Error("a scan for nothing that can be looked for succeeds")
	}
}
