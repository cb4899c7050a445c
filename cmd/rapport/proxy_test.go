package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWhereARequestComesFromIsWhatTrustedProxiesSay(t *testing.T) {
	t.Parallel()
	p, err := newProxies([]string{"10.0.0.0/8", "127.0.0.1", "2001:db8:f::/48"}, "")
	if err != nil {
		t.Fatal(err)
	}
	const proxy, inner = "10.0.0.1:4711", "10.9.9.9"
	for _, tt := range []struct {
		name, peer       string
		forwarded, rfc   []string
		want             string
		overAProxyOfOurs bool
	}{
		{"nobody in between", "203.0.113.7:5000", nil, nil, "203.0.113.7:5000", false},
		{"a proxy that says nothing", proxy, nil, nil, proxy, false},
		{"one proxy", proxy, []string{"203.0.113.7"}, nil, "203.0.113.7:0", true},
		{"one proxy, with a port", proxy, []string{"203.0.113.7:1234"}, nil, "203.0.113.7:0", true},
		{"two proxies", proxy, []string{"203.0.113.7, " + inner}, nil, "203.0.113.7:0", true},
		{"two headers are one list", proxy, []string{"203.0.113.7", inner}, nil, "203.0.113.7:0", true},
		{"proxies alone", proxy, []string{"10.1.1.1, " + inner}, nil, "10.1.1.1:0", true},
		{"IPv6", "[2001:db8:f::1]:443", []string{"2001:db8:1::7"}, nil, "[2001:db8:1::7]:0", true},
		{"IPv6 in brackets, with a port", proxy, []string{"[2001:db8:1::7]:99"}, nil, "[2001:db8:1::7]:0", true},
		{"IPv4 within IPv6", "[::ffff:10.0.0.1]:443", []string{"::ffff:203.0.113.7"}, nil, "203.0.113.7:0", true},
		{"Forwarded", proxy, nil, []string{`for=203.0.113.7;proto=https;by=10.0.0.1`}, "203.0.113.7:0", true},
		{"Forwarded, quoted", proxy, nil, []string{`For="[2001:db8:1::7]:4711", for=10.2.2.2`}, "[2001:db8:1::7]:0", true},

		// What strangers write.
		{"a stranger who says to be somebody", "203.0.113.7:5000", []string{"198.51.100.1"}, []string{"for=198.51.100.1"}, "203.0.113.7:5000", false},
		{"a stranger who says to be this machine", "203.0.113.7:5000", []string{"127.0.0.1"}, nil, "203.0.113.7:5000", false},
		{"a client who wrote a list before", proxy, []string{"198.51.100.1, 127.0.0.1, 203.0.113.7"}, nil, "203.0.113.7:0", true},
		{"a client who wrote trusted ones before", proxy, []string{"198.51.100.1, 10.3.3.3, 203.0.113.7, " + inner}, nil, "203.0.113.7:0", true},
		{"no address", proxy, []string{"198.51.100.1, nonsense"}, nil, "10.0.0.1:0", true},
		{"no address behind a proxy", proxy, []string{"198.51.100.1, unknown, " + inner}, nil, inner + ":0", true},
		{"an address that hides", proxy, nil, []string{"for=198.51.100.1, for=_hidden"}, "10.0.0.1:0", true},
		{"an element without for", proxy, nil, []string{"for=198.51.100.1, proto=https"}, "10.0.0.1:0", true},
		{"a comma within quotes", proxy, nil, []string{`for="203.0.113.7,for=198.51.100.1`}, "10.0.0.1:0", true},
		{"the other header beside the proxy's", proxy, []string{"203.0.113.7"}, []string{"for=198.51.100.1"}, "10.0.0.1:0", true},
		{"both headers alike", proxy, []string{"203.0.113.7"}, []string{"for=203.0.113.7"}, "203.0.113.7:0", true},
		{"more than anybody has", proxy, []string{strings.Repeat("10.4.4.4, ", 5000) + "203.0.113.7"}, nil, "203.0.113.7:0", true},
		{"only commas", proxy, []string{",,, ,"}, []string{",,"}, proxy, false},
	} {
		got, over := "", false
		h := p.handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, over = r.RemoteAddr, proxied(r) }))
		r := httptest.NewRequest("GET", "http://shop.test/", nil)
		r.RemoteAddr = tt.peer
		for _, v := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", v)
		}
		for _, v := range tt.rfc {
			r.Header.Add("Forwarded", v)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != tt.want || over != tt.overAProxyOfOurs {
			t.Errorf("%s: comes from %s (over a proxy: %v), want %s (%v)", tt.name, got, over, tt.want, tt.overAProxyOfOurs)
		}
		if r.RemoteAddr != tt.peer {
			t.Errorf("%s: the server's own request was changed", tt.name)
		}
	}
}

func TestAHeaderOfTheProxysOwnIsTheOnlyOne(t *testing.T) {
	t.Parallel()
	p, err := newProxies([]string{"10.0.0.0/8"}, "CF-Connecting-IP")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "http://shop.test/", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header.Set("CF-Connecting-IP", "203.0.113.7")
	r.Header.Set("X-Forwarded-For", "198.51.100.1")
	if a, told := p.of(r); !told || a.String() != "203.0.113.7" {
		t.Errorf("comes from %s, %v", a, told)
	}
	// A page for this machine is not for whom a proxy says to be this machine.
	r.Header.Set("CF-Connecting-IP", "127.0.0.1")
	r.Header.Del("X-Forwarded-For")
	r.Host = "127.0.0.1"
	w := httptest.NewRecorder()
	p.handler(private(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))).ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("a private page over a proxy = %d", w.Code)
	}
}

func TestProxiesThatWouldBeEverybodyAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		networks []string
		header   string
	}{{[]string{"0.0.0.0/0"}, ""}, {[]string{"::/0"}, ""}, {[]string{"proxy.example"}, ""}, {[]string{"10.0.0.0/33"}, ""}, {[]string{"fe80::1%eth0"}, ""}, {nil, "X-Forwarded-For"}} {
		if _, err := newProxies(tt.networks, tt.header); !errors.Is(err, errMisuse) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// What is counted by address is counted by the client's, and nobody who is no proxy of
// ours can say to be another.
func TestWrongKeysAreCountedByTheClientBehindTheProxy(t *testing.T) {
	t.Parallel()
	s, table, _ := served(t)
	front, err := newProxies([]string{"10.0.0.1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	s.front = front
	h := s.front.handler(table.guarded())
	try := func(peer, says string) int {
		r := httptest.NewRequest("GET", "http://shop.test/api/v1/customers", nil)
		r.RemoteAddr = peer + ":5000"
		r.Header.Set("X-Forwarded-For", says)
		r.Header.Set("Authorization", "Bearer rp_s_live_wrong")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for i := range 25 {
		want := http.StatusUnauthorized
		if i >= 20 {
			want = http.StatusTooManyRequests
		}
		if code := try("10.0.0.1", "203.0.113.7"); code != want {
			t.Fatalf("the wrong key %d of one client = %d, want %d", i+1, code, want)
		}
	}
	if code := try("10.0.0.1", "203.0.113.8"); code != http.StatusUnauthorized {
		t.Errorf("another client of the proxy pays for the first: %d", code)
	}
	codes := map[int]int{}
	for i := range 25 {
		codes[try("198.51.100.1", fmt.Sprint("203.0.113.", i+10))]++
	}
	if codes[http.StatusTooManyRequests] != 5 {
		t.Errorf("a stranger who says to be another each time is answered %v", codes)
	}
}
