package drafts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/drafts"
	"rapport/internal/fault"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func TestADraftIsOfOnePersonAndFoundAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := drafts.Open(dir, func() time.Time { return noon })
	d, err := s.Keep("ada", drafts.Draft{Kind: "segment", Name: "../../vip", Body: "when: {}"}, "")
	if err != nil || d.Version == "" {
		t.Fatal(d, err)
	}
	again := drafts.Open(dir, time.Now) // another process
	if got, err := again.Get("ada", "segment", "../../vip"); err != nil || got.Body != "when: {}" || !got.At.Equal(noon) || got.Version != d.Version {
		t.Errorf("%+v %v", got, err)
	}
	for _, other := range [][3]string{{"bob", "segment", "../../vip"}, {"ada", "journey", "../../vip"}, {"ada", "segment", ""}} {
		if _, err := again.Get(other[0], other[1], other[2]); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v: %v", other, err)
		}
	}
	if list, err := again.List("ada"); err != nil || len(list) != 1 || list[0].Body != "" || list[0].Name != "../../vip" {
		t.Errorf("%+v %v", list, err)
	}
	if err := again.Forget("ada"); err != nil {
		t.Fatal(err)
	}
	if list, err := again.List("ada"); err != nil || len(list) != 0 {
		t.Errorf("%+v %v are left of who is gone", list, err)
	}
}

func TestTwoBrowsersDoNotOverwriteEachOtherUnseen(t *testing.T) {
	t.Parallel()
	s := drafts.Open(t.TempDir(), time.Now)
	keep := func(body, from string) (drafts.Draft, error) {
		return s.Keep("ada", drafts.Draft{Kind: "journey", Name: "welcome", Body: body}, from)
	}
	one, err := keep("one", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keep("another beginning", ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second beginning: %v", err)
	}
	two, err := keep("two", one.Version)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keep("late", one.Version); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "another browser") {
		t.Errorf("from an older version: %v", err)
	}
	if d, _ := s.Get("ada", "journey", "welcome"); d.Body != "two" {
		t.Errorf("kept is %q", d.Body)
	}
	if err := s.Drop("ada", "journey", "welcome", one.Version); !fault.Is(err, fault.Conflict) {
		t.Errorf("giving up what another browser wrote: %v", err)
	}
	for range 2 {
		if err := s.Drop("ada", "journey", "welcome", ""); err != nil {
			t.Error(err)
		}
	}
	if _, err := keep("three", two.Version); !fault.Is(err, fault.Conflict) {
		t.Errorf("from one that was given up: %v", err)
	}
	// Of many at once one is kept.
	var group sync.WaitGroup
	won := make(chan string, 20)
	for i := range 20 {
		group.Go(func() {
			if _, err := keep(fmt.Sprint("at once ", i), ""); err == nil {
				won <- fmt.Sprint("at once ", i)
			}
		})
	}
	group.Wait()
	if d, err := s.Get("ada", "journey", "welcome"); len(won) != 1 || err != nil || d.Body != <-won {
		t.Errorf("%d won, kept is %q %v", len(won), d.Body, err)
	}
}

func TestDraftsAreBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := drafts.Open(dir, time.Now)
	for _, d := range []drafts.Draft{{Kind: "person"}, {Kind: "segment", Name: strings.Repeat("a", 201)}} {
		if _, err := s.Keep("ada", d, ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.40v: %v", d, err)
		}
	}
	if _, err := s.Keep("ada", drafts.Draft{Kind: "template", Body: strings.Repeat("<", drafts.MaxBody+1)}, ""); !fault.Is(err, fault.TooLarge) {
		t.Errorf("too long: %v", err)
	}
	if _, err := s.Keep("ada", drafts.Draft{Kind: "template", Body: strings.Repeat("<", drafts.MaxBody)}, ""); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
	if d, err := s.Get("ada", "template", ""); err != nil || len(d.Body) != drafts.MaxBody {
		t.Errorf("%d bytes of it are read: %v", len(d.Body), err)
	}
	var last error
	for i := range 100 {
		_, last = s.Keep("ada", drafts.Draft{Kind: "segment", Name: fmt.Sprint(i)}, "")
	}
	if !fault.Is(last, fault.TooLarge) {
		t.Errorf("the draft 101: %v", last)
	}
	if _, err := s.Keep("bob", drafts.Draft{Kind: "segment"}, ""); err != nil {
		t.Errorf("another's first: %v", err)
	}
	// What is damaged is told, is in no list, and can be given up.
	files, err := filepath.Glob(filepath.Join(dir, "drafts", "*", "*.json"))
	if err != nil || len(files) != 101 {
		t.Fatal(len(files), err)
	}
	for _, f := range files {
		if err := os.WriteFile(f, []byte(`{"kind":`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.List("ada"); err != nil || len(list) > 0 {
		t.Errorf("%d %v are listed", len(list), err)
	}
	if _, err := s.Get("ada", "segment", "7"); !fault.Is(err, fault.Corrupt) {
		t.Errorf("a damaged one: %v", err)
	}
	if err := s.Drop("ada", "segment", "7", ""); err != nil {
		t.Error(err)
	}
	if _, err := s.Keep("ada", drafts.Draft{Kind: "segment", Name: "7"}, ""); err != nil {
		t.Errorf("and kept anew: %v", err)
	}
}
