package egress_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rapport/internal/egress"
)

func call(t *testing.T, c *egress.Client, address string) (*egress.Answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return c.Do(r)
}

// TestRule51AnAddressThatLeadsInsideIsBlocked is item 51 of the rules: whatever
// the spelling, what leads to ourselves is not dialled, and nothing of what
// stands there is told.
func TestRule51AnAddressThatLeadsInsideIsBlocked(t *testing.T) {
	t.Parallel()
	secret := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("SECRET")) }))
	defer secret.Close()
	port := secret.URL[strings.LastIndexByte(secret.URL, ':'):]
	c := egress.New(egress.Options{Plain: true, Ports: []int{80, 443, secret.Listener.Addr().(*net.TCPAddr).Port}})
	for _, address := range []string{
		secret.URL,
		"http://localhost" + port,
		"http://[::1]" + port,
		"http://[::ffff:127.0.0.1]" + port,
		"http://[::ffff:169.254.169.254]/latest/meta-data",
		"http://169.254.169.254/latest/meta-data",
		"http://100.100.100.200/", "http://192.0.0.192/", "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/",
		"http://0.0.0.0" + port, "http://[::]" + port, "http://[fe80::1]/", "http://[fc00::1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
		"http://224.0.0.1/", "http://255.255.255.255/",
		"http://ada@203.0.113.5/", "gopher://127.0.0.1/", "file:///etc/passwd", "ftp://example.com/", "https:example.com", "http:///x",
		"http://8.8.8.8:22/", "http://8.8.8.8:5432/",
	} {
		a, err := call(t, c, address)
		if a != nil || !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("%s: %v, %v; want it forbidden", address, a, err)
		}
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s tells what stands there", address)
		}
	}
	// Spellings that some resolvers read as 127.0.0.1 are names to us. Whether they
	// resolve is the machine's affair; none reaches the server.
	for _, address := range []string{"http://localhost." + port, "http://0x7f.1" + port, "http://2130706433" + port, "http://127.1" + port} {
		if a, err := call(t, c, address); a != nil || err == nil {
			t.Errorf("%s was answered", address)
		}
	}
}

// A name that is public when it is looked at and loopback when it is dialled is
// the same to us as one that leads to loopback at once, as localhost does: the check
// of the text lets a name pass, and the one at the dial does not.
func TestANameIsJudgedByWhereItLeads(t *testing.T) {
	t.Parallel()
	c := egress.New(egress.Options{})
	u := &url.URL{Scheme: "https", Host: "localhost"}
	if err := c.Check(u); err != nil {
		t.Fatalf("a name was judged by its letters: %v", err)
	}
	if _, err := call(t, c, u.String()); !errors.Is(err, egress.ErrForbidden) {
		t.Errorf("%v; want it forbidden at the dial", err)
	}
}

func TestARedirectIsAnAnswer(t *testing.T) {
	t.Parallel()
	hits := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
	}))
	defer s.Close()
	a, err := call(t, egress.New(egress.Options{Loopback: true}), s.URL)
	if err != nil || a.Status != http.StatusFound || a.Header.Get("Location") == "" || hits != 1 {
		t.Errorf("%+v, %v after %d calls", a, err, hits)
	}
}

func TestAnAnswerHasItsLimit(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(strings.Repeat("x", 100)))
	}))
	defer s.Close()
	if a, err := call(t, egress.New(egress.Options{Loopback: true, Body: 100}), s.URL); err != nil || len(a.Body) != 100 {
		t.Errorf("an answer of the limit: %v", err)
	}
	if a, err := call(t, egress.New(egress.Options{Loopback: true, Body: 99}), s.URL); a != nil || !errors.Is(err, egress.ErrTooLarge) {
		t.Errorf("an answer beyond the limit: %v, %v", a, err)
	}
}

func TestHTTPIsSpokenOnlyWhereItIsAllowed(t *testing.T) {
	t.Parallel()
	if _, err := call(t, egress.New(egress.Options{}), "http://example.com/"); !errors.Is(err, egress.ErrForbidden) {
		t.Errorf("http: %v", err)
	}
	if err := egress.New(egress.Options{Plain: true}).Check(&url.URL{Scheme: "http", Host: "example.com"}); err != nil {
		t.Errorf("http where it is allowed: %v", err)
	}
}

func TestAnErrorDoesNotRepeatTheQuery(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String() + "/orders?consumer_secret=cs_1"
	l.Close()
	if _, err := call(t, egress.New(egress.Options{Loopback: true}), address); err == nil || strings.Contains(err.Error(), "cs_1") || !strings.Contains(err.Error(), "/orders") {
		t.Errorf("%v", err)
	}
}

func TestACallEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://example.com:8443/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := egress.New(egress.Options{}).Do(r); !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("a port that is not called: %v", err)
		}
	})
}
