package bounce_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"rapport/internal/bounce"
	"rapport/internal/channels"
)

// mails returns the corpus by name, such as "maildir/bsd/arf-01.eml".
var mails = sync.OnceValues(func() (map[string][]byte, error) {
	f, err := os.Open("testdata/mails.tar.gz")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if all[h.Name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
})

func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	all, err := mails()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

type expected struct {
	File   string `json:"file"`
	Index  int    `json:"index"`
	Status string `json:"status"`
	Reason string `json:"reason"`
	Hard   bool   `json:"hard_bounce"`
	Other  string `json:"other"`
}

func expectations(t testing.TB) (list []expected) {
	t.Helper()
	b, err := os.ReadFile("testdata/expected.json")
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// right reports whether the mail was read as expected; why says what was wrong.
func right(r *bounce.Report, e *expected) (ok bool, why string) {
	switch e.Reason {
	case "feedback":
		if r.Kind == bounce.Complaint || r.Kind == bounce.Auth && e.Other == "auth-failure" {
			return true, ""
		}
		return false, "it is no complaint but " + r.Kind.String()
	case "vacation":
		if r.Kind == bounce.AutoReply {
			return true, ""
		}
		return false, "it is no automatic answer but " + r.Kind.String()
	}
	if r.Kind != bounce.Delivery || len(r.Failures) < e.Index {
		return false, "nothing was read"
	}
	f := &r.Failures[e.Index-1]
	if hard := f.Told == channels.Bounced && f.Cause() == channels.Hard; hard != e.Hard {
		return false, "it is " + f.Told.String() + " " + f.Cause().String()
	}
	return true, ""
}

// common are the servers that the bar is for.
var common = regexp.MustCompile(`^(rfc3464|lhost-(postfix|exim|sendmail|amazonses|gmail|outlook))-`)

func TestRealBouncesAreHardOrSoftAsTheyShould(t *testing.T) {
	t.Parallel()
	all, good, total := corpus(t), [2]int{}, [2]int{}
	for _, e := range expectations(t) {
		r := bounce.Read(all[e.File])
		ok, why := right(&r, &e)
		set := 0
		if common.MatchString(path.Base(e.File)) {
			set = 1
		}
		total[set]++
		if ok {
			good[set]++
			continue
		}
		t.Logf("%s %d: want %s %s hard=%v, %s: %+v", e.File, e.Index, e.Status, e.Reason, e.Hard, why, r.Failures)
		if !e.Hard && strings.Contains(why, "hard") {
			t.Errorf("%s %d: hard, and it must not be", e.File, e.Index)
		}
	}
	t.Logf("of the common servers %d of %d, of the others %d of %d", good[1], total[1], good[0], total[0])
	if good[1]*100 < total[1]*95 || total[1] < 100 {
		t.Errorf("of the common servers %d of %d are right, want 95 %%", good[1], total[1])
	}
	if good[0]*100 < total[0]*90 || total[0] < 100 {
		t.Errorf("of the other servers %d of %d are right, want 90 %%", good[0], total[0])
	}
}

func TestWhatIsNoBounceGivesNothing(t *testing.T) {
	t.Parallel()
	n := 0
	for name, mail := range corpus(t) {
		if strings.HasPrefix(name, "maildir/not/") {
			n++
			if r := bounce.Read(mail); r.Kind != bounce.Nothing && r.Kind != bounce.AutoReply || len(r.Failures) > 0 {
				t.Errorf("%s is %s: %+v", name, r.Kind, r.Failures)
			}
		}
	}
	if n != 3 {
		t.Errorf("%d mails that are none, want 3", n)
	}
}

func TestLineEndsMakeNoDifference(t *testing.T) {
	t.Parallel()
	for name, mail := range corpus(t) {
		if !strings.HasPrefix(name, "maildir/bsd/") {
			continue
		}
		unix := bytes.ReplaceAll(mail, []byte("\r\n"), []byte("\n"))
		want := bounce.Read(unix)
		for _, end := range []string{"\r\n", "\r"} {
			if got := bounce.Read(bytes.ReplaceAll(unix, []byte("\n"), []byte(end))); !reflect.DeepEqual(got, want) {
				t.Errorf("%s with lines ended by %q: %+v, want %+v", name, end, got, want)
			}
		}
	}
	for name, mail := range corpus(t) {
		dir := path.Base(path.Dir(name))
		if dir != "dos" && dir != "mac" {
			continue
		}
		bsd, there := corpus(t)["maildir/bsd/"+path.Base(name)]
		if !there {
			continue
		}
		if got, want := bounce.Read(mail), bounce.Read(bsd); got.Kind != want.Kind || len(got.Failures) != len(want.Failures) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for name, mail := range corpus(f) {
		if strings.HasPrefix(name, "maildir/bsd/") && len(mail) < 4000 {
			f.Add(mail)
		}
	}
	f.Fuzz(func(t *testing.T, mail []byte) {
		r := bounce.Read(mail)
		if len(r.Failures) > 101 || len(r.Addresses) > 20 {
			t.Errorf("%d recipients, %d addresses", len(r.Failures), len(r.Addresses))
		}
		for i := range r.Failures {
			if len(r.Failures[i].Detail) > channels.MaxDetail {
				t.Errorf("the words are %d bytes long", len(r.Failures[i].Detail))
			}
			r.Failures[i].Cause()
		}
		if r.Kind == bounce.Delivery && len(r.Failures) == 0 {
			t.Error("a bounce of nothing")
		}
	})
}
