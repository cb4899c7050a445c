package intake_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"rapport/internal/intake"
)

func zipped(t *testing.T, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZippedBodiesAreReadWhateverTheHeadersSay(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	z := zipped(t, batchOf(track))
	for name, headers := range map[string][]string{
		"as RudderStack's SDK sends it": {"Content-Type", "application/x-www-form-urlencoded"},
		"as it should be":               {"Content-Encoding", "gzip", "Content-Type", "application/json"},
	} {
		h.appended = nil
		w := h.do("POST", "/v1/batch", z, append(headers, "Authorization", basic(h.write))...)
		if w.Code != 200 || len(h.appended) != 1 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	h.appended = nil
	wantStatus(t, h.post("/v1/batch", batchOf(track), "Content-Encoding", "gzip", "Content-Type", "text/plain"), 200)
	if len(h.appended) != 1 {
		t.Error("a body that a proxy has unzipped was not heard")
	}
	h.appended = nil
	for name, body := range map[string][]byte{
		"cut off": z[:len(z)-9], "damaged": append(append([]byte(nil), z[:20]...), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"...), "only the magic": {0x1f, 0x8b},
	} {
		if w := h.do("POST", "/v1/batch", body, "X-Write-Key", h.write); w.Code != 400 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	wantStatus(t, h.post("/v1/batch", batchOf(track), "Content-Encoding", "br"), 400)
	h.nothingHappened(t)
}

func TestAZipBombIsCutOff(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	bomb := zipped(t, strings.Repeat(" ", 100<<20)+batchOf(track))
	if len(bomb) > intake.MaxBodyPublic {
		t.Fatalf("the bomb is too large to be let in: %d", len(bomb))
	}
	w := h.do("POST", "/v1/batch", bomb, "X-Write-Key", h.write)
	wantStatus(t, w, 413)
	h.nothingHappened(t)
}

func TestBodiesOverTheLimitAre413(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	padding := strings.Repeat(" ", intake.MaxBodyPublic)
	large := batchOf(track) + padding
	wantStatus(t, h.post("/v1/batch", large), 413)
	// Without a length, as a chunked body has none, it is noticed while reading.
	r := httptest.NewRequest("POST", "/v1/batch", struct{ *strings.Reader }{strings.NewReader(large)})
	r.ContentLength = -1
	r.Header.Set("X-Write-Key", h.write)
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	wantStatus(t, w, 413)
	wantStatus(t, h.do("POST", "/v1/batch", []byte(batchOf(track)+strings.Repeat(padding, 8)), "X-Write-Key", h.secret), 413)
	wantStatus(t, h.post("/v1/batch", batchOf(strings.Split(strings.Repeat(track+"\n", intake.MaxBatch+1), "\n")[:intake.MaxBatch+1]...)), 413)
	h.nothingHappened(t)
	wantStatus(t, h.do("POST", "/v1/batch", []byte(large), "X-Write-Key", h.secret), 200)
	wantStatus(t, h.post("/v1/batch", large[:intake.MaxBodyPublic]), 200)
}

func TestABodyThatEndsTooSoonIsAskedForAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := httptest.NewRequest("POST", "/v1/batch", &broken{strings.NewReader(batchOf(track))})
	r.Header.Set("X-Write-Key", h.write)
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	wantStatus(t, w, 408)
	h.nothingHappened(t)
}

// broken is a body whose connection breaks after all of it was read.
type broken struct{ r *strings.Reader }

func (b *broken) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil {
		err = errors.New("connection reset by peer")
	}
	return n, err
}

func TestWhenMemoryIsFullTheRestIsToldToWait(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *intake.Options) { o.Limits.InFlight = 400 << 10 })
	large := batchOf(track) + strings.Repeat(" ", 150<<10) // takes 256 kB of the 400
	inside, leave := make(chan bool), make(chan bool)
	var once atomic.Bool
	h.beforeWrite = func() {
		if once.CompareAndSwap(false, true) {
			inside <- true
			<-leave
		}
	}
	var first *httptest.ResponseRecorder
	done := make(chan bool)
	go func() { first = h.post("/v1/batch", large); done <- true }()
	<-inside
	w := h.post("/v1/batch", large)
	wantStatus(t, w, 429)
	if w.Header().Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
	if w := h.do("POST", "/v1/batch", zipped(t, large), "X-Write-Key", h.write); w.Code != 429 {
		t.Errorf("zipped: %d, want 429", w.Code)
	}
	h.nothingHappened(t)
	leave <- true
	<-done
	wantStatus(t, first, 200)
	for range 20 { // whatever was taken was given back
		wantStatus(t, h.post("/v1/batch", large), 200)
		wantStatus(t, h.do("POST", "/v1/batch", zipped(t, batchOf(track)), "X-Write-Key", h.write), 200)
	}
}

func TestAKeyThatSendsTooMuchWaitsAlone(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *intake.Options) { o.Limits.Rate = 10 })
	thirty := batchOf(strings.Split(strings.Repeat(track+"\n", 30), "\n")[:30]...)
	wantStatus(t, h.post("/v1/batch", thirty), 200) // 20 are saved up: 10 are owed
	w := h.post("/v1/batch", batchOf(track))
	wantStatus(t, w, 429)
	if w.Header().Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q, want 2", w.Header().Get("Retry-After"))
	}
	wantStatus(t, h.do("POST", "/v1/batch", []byte(`{"writeKey":"`+h.write+`","batch":[`+track+`]}`)), 429)
	if len(h.appended) != 30 {
		t.Errorf("%d appended, want 30", len(h.appended))
	}
	wantStatus(t, h.do("POST", "/v1/batch", []byte(batchOf(track)), "X-Write-Key", h.secret), 200)
	h.now.Add(1100)
	wantStatus(t, h.post("/v1/batch", batchOf(track)), 200)
	h.now.Add(-3_600_000) // the clock is set back: no gift, no punishment
	h.post("/v1/batch", batchOf(track))
	h.now.Add(3_600_000)
	wantStatus(t, h.post("/v1/batch", batchOf(track)), 200)
}

func TestUnreadableBodiesCountAgainstTheRate(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *intake.Options) { o.Limits.Rate = 1 })
	wantStatus(t, h.post("/v1/batch", `{`), 400)
	wantStatus(t, h.post("/v1/batch", `{`), 400)
	wantStatus(t, h.post("/v1/batch", `{`), 429)
}
