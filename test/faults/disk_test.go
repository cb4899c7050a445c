package faults_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"rapport/internal/mailcatcher"
	"rapport/internal/store/sqlite"
)

// strace returns the words that make strace fail the calls on a file of the data
// directory; it skips the test where strace does not work. strace counts "when"
// for each thread, so which call it is in all is not known.
func strace(t *testing.T, path, calls, inject string) []string {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace is not to be had here, so no disk can be made to fail: %v %s", err, out)
	}
	return []string{"strace", "-f", "-o", os.DevNull, "-e", "trace=" + calls, "-P", path, "-e", "inject=" + calls + ":" + inject}
}

// logBlock returns the newest file of the log.
func (h *home) logBlock() string {
	h.t.Helper()
	names, err := filepath.Glob(filepath.Join(h.dir, "log", "jetstream", "$G", "streams", "lane-0000", "msgs", "*.blk"))
	if err != nil || len(names) == 0 {
		h.t.Fatalf("no blocks of the log in %s: %v", h.dir, err)
	}
	return names[len(names)-1]
}

// feed posts small batches until done says that it is enough, and returns which
// events were answered 200.
func (h *home) feed(name string, done func(status, n int) bool) (acked []string) {
	h.t.Helper()
	for end, n := time.Now().Add(patience), 0; ; n++ {
		if time.Now().After(end) {
			h.t.Fatalf("%s: what was waited for did not come in %v; the server said:\n%s", name, patience, h.said())
		}
		var batch []message
		var ids []string
		for k := range 10 {
			id := fmt.Sprintf("%s-%d-%d", name, n, k)
			ids = append(ids, id)
			batch = append(batch, view(id, fmt.Sprintf("u%d", n%50)))
		}
		status := h.post(h.t.Context(), batch...)
		if status == http.StatusOK {
			acked = append(acked, ids...)
		}
		if done(status, n) {
			return acked
		}
	}
}

// holds checks that a stopped data directory has every acknowledged event once.
func (h *home) holds(acked []string) {
	h.t.Helper()
	found := map[string]int{}
	for _, e := range h.dump("events") {
		found[e.MessageID]++
	}
	bad := 0
	for _, id := range acked {
		if found[id] != 1 {
			bad++
		}
	}
	if bad > 0 || len(acked) == 0 {
		h.t.Errorf("%d of %d acknowledged events are not there exactly once", bad, len(acked))
	}
}

var wayOut = regexp.MustCompile(`List-Unsubscribe:\s*<([^>]+)>`)

// unsubscribe takes the way out of the customer's last mail, and returns the status.
func unsubscribe(t *testing.T, c *mailcatcher.Catcher, to string) int {
	t.Helper()
	mails := c.Mails(mailcatcher.Filter{To: to}, mailcatcher.Page{})
	if len(mails) == 0 {
		t.Fatalf("%s has no mail", to)
	}
	m, err := c.Mail(mails[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	link := wayOut.FindStringSubmatch(strings.ReplaceAll(string(m.Source), "\r\n ", ""))
	if link == nil {
		t.Fatalf("the mail has no way out:\n%s", m.Source)
	}
	r, err := client.PostForm(link[1], url.Values{"List-Unsubscribe": {"One-Click"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return r.StatusCode
}

// settled stops the server, checks that everybody has the given number of mails
// and that nothing was sent twice, and returns the deliveries by state and reason.
func (h *home) settled(p *process, c *mailcatcher.Catcher) map[string]int {
	h.t.Helper()
	p.stop()
	states := map[string]int{}
	for _, d := range h.dump("deliveries") {
		states[strings.TrimSpace(d.State+" "+d.Reason)]++
	}
	if stats := c.Stats(); stats.Duplicates > 0 {
		h.t.Errorf("%d mails were sent twice", stats.Duplicates)
	}
	return states
}

func TestItem05AFailedSyncOfTheLogEndsAcceptingUntilTheNextProcess(t *testing.T) {
	t.Parallel()
	h, catcher := newShop(t)
	h.start(options{}).stop()
	p := h.start(options{prefix: strace(t, h.logBlock(), "fsync", "error=EIO:when=25")})
	if !h.insist(t.Context(), orders("ada")...) {
		t.Fatal("the order was not taken")
	}
	until(t, "ada has her mail", func() bool { return catcher.Count() == 1 })
	var first int
	acked := h.feed("a", func(status, _ int) bool { first = status; return status != http.StatusOK })
	if first != http.StatusServiceUnavailable {
		t.Errorf("the request whose sync failed was answered %d, want 503", first)
	}
	if status, _ := h.get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz says %d after a failed sync, want 503", status)
	}
	// It must not find its way back by itself: what the disk has nobody knows.
	end := time.Now().Add(3 * time.Second)
	again := h.feed("b", func(status, _ int) bool {
		if status != http.StatusServiceUnavailable {
			t.Errorf("a request after the failed sync was answered %d, want 503", status)
		}
		time.Sleep(20 * time.Millisecond)
		return time.Now().After(end)
	})
	if len(again) > 0 {
		t.Errorf("%d events were acknowledged after a failed sync", len(again))
	}
	if status := unsubscribe(t, catcher, "ada@"); status != http.StatusOK {
		t.Errorf("an unsubscribe while the log is broken was answered %d, want 200: it has a book of its own", status)
	}
	p.stop()
	p = h.start(options{})
	if !h.insist(t.Context(), append(orders("eve"), message{
		"type": "track", "event": "Order Completed", "userId": "ada", "messageId": "o2-ada", "properties": map[string]any{"order_id": "second", "total": 1, "currency": "EUR"},
	})...) {
		t.Fatal("the order after the restart was not taken")
	}
	until(t, "eve has her mail", func() bool { return catcher.Count() == 2 })
	time.Sleep(300 * time.Millisecond)
	if states := h.settled(p, catcher); states["accepted"] != 2 || states["dropped suppressed"]+states["dropped no_consent"] != 1 {
		t.Errorf("deliveries are %v; ada unsubscribed while the log was broken and is not to hear of her second order", states)
	}
	h.holds(acked)
}

func TestItem05AFailedSyncOfTheStateStopsSendingAndLosesNothing(t *testing.T) {
	t.Parallel()
	h, catcher := newShop(t)
	h.start(options{}).stop()
	p := h.start(options{prefix: strace(t, filepath.Join(h.dir, "state.db-wal"), "fsync,fdatasync", "error=EIO:when=3+")})
	acked := h.feed("a", func(_, n int) bool {
		if n == 5 && !h.insist(t.Context(), orders("ada")...) {
			t.Error("the order was not taken")
		}
		status, _ := h.get("/readyz")
		return n > 5 && status == http.StatusServiceUnavailable
	})
	p.stop()
	p = h.start(options{})
	until(t, "ada has her mail", func() bool { return catcher.Count() == 1 })
	time.Sleep(200 * time.Millisecond)
	if states := h.settled(p, catcher); states["accepted"]+states["unknown"] != 1 {
		t.Errorf("deliveries are %v, want one accepted", states)
	}
	h.holds(acked)
}

func TestItem05AFailedSyncOfTheLedgerSendsNothingAndKeepsAnUnsubscribe(t *testing.T) {
	t.Parallel()
	h, catcher := newShop(t)
	p := h.start(options{})
	if !h.insist(t.Context(), orders("ada")...) {
		t.Fatal("the order was not taken")
	}
	until(t, "ada has her mail", func() bool { return catcher.Count() == 1 })
	p.stop()
	p = h.start(options{prefix: strace(t, filepath.Join(h.dir, "ledger.db-wal"), "fsync,fdatasync", "error=EIO:when=1+")})
	if !h.insist(t.Context(), orders("eve")...) {
		t.Fatal("the order was not taken")
	}
	time.Sleep(time.Second)
	if n := catcher.Count(); n != 1 {
		t.Errorf("%d mails, want 1: nothing may leave before it is written that it begins", n)
	}
	// The ledger believes in no further write, and the reserve beside it works.
	if status := unsubscribe(t, catcher, "ada@"); status != http.StatusOK {
		t.Errorf("an unsubscribe was answered %d, want 200: there is a reserve for it", status)
	}
	p.stop()
	l, err := sqlite.OpenLedger(t.Context(), sqlite.Options{Dir: h.dir})
	if err != nil {
		t.Fatal(err)
	}
	if n := l.Waiting(); n == 0 {
		t.Error("the unsubscribe that was answered is not in the reserve")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	p = h.start(options{})
	until(t, "eve's delivery has ended", func() bool { return catcher.Count() == 2 || h.t.Failed() })
	if states := h.settled(p, catcher); states["accepted"] != 2 {
		t.Errorf("deliveries are %v, want 2 accepted", states)
	}
}

// smallDisk is room for the log's first block, the copy that is made of it at a
// restart, and the databases.
const smallDisk = 64 << 20

// mount puts a small disk of its own under the data directory.
func mount(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", smallDisk)); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("the small disk stays mounted at %s: %v", dir, err)
		}
	})
}

// fillUp writes a file that takes all that is left of the disk.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2] // down to the last byte
		}
	}
}

func TestItem06AFullDiskRefusesAndRecoversWithoutARestart(t *testing.T) {
	t.Parallel()
	h, catcher := newShop(t)
	mount(t, h.dir)
	p := h.start(options{})
	if !h.insist(t.Context(), orders("ada")...) {
		t.Fatal("the order was not taken")
	}
	until(t, "ada has her mail", func() bool { return catcher.Count() == 1 })
	ballast := filepath.Join(h.dir, "ballast")
	fillUp(t, ballast)
	var refused int
	acked := h.feed("full", func(status, _ int) bool { refused = status; return status != http.StatusOK })
	if refused != http.StatusServiceUnavailable {
		t.Errorf("a request on a full disk was answered %d, want 503", refused)
	}
	until(t, "the server says that it is not ready", func() bool { status, _ := h.get("/readyz"); return status == http.StatusServiceUnavailable })
	if status := unsubscribe(t, catcher, "ada@"); status != http.StatusOK {
		t.Errorf("an unsubscribe on a full disk was answered %d, want 200: there is a reserve for it", status)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	until(t, "the server is ready again", func() bool { status, _ := h.get("/readyz"); return status == http.StatusOK })
	acked = append(acked, h.feed("space", func(status, n int) bool { return status == http.StatusOK && n > 5 })...)
	if !h.insist(t.Context(), orders("eve")...) {
		t.Fatal("the order was not taken")
	}
	until(t, "eve has her mail", func() bool { return catcher.Count() == 2 })
	if p.ended() {
		t.Error("the server ended")
	}
	if states := h.settled(p, catcher); states["accepted"] != 2 {
		t.Errorf("deliveries are %v, want 2 accepted", states)
	}
	h.holds(acked)
}

func TestItem27UnsubscribesWorkAndNothingIsLostWhileTheStateIsAway(t *testing.T) {
	t.Parallel()
	h, catcher := newShop(t)
	p := h.start(options{})
	if !h.insist(t.Context(), orders("ada")...) {
		t.Fatal("the order was not taken")
	}
	until(t, "ada has her mail", func() bool { return catcher.Count() == 1 })
	p.stop()
	p = h.start(options{prefix: strace(t, filepath.Join(h.dir, "state.db-wal"), "pwrite64", "error=EIO:when=1+")})
	acked := h.feed("away", func(status, n int) bool {
		if status != http.StatusOK {
			t.Errorf("an event was answered %d while only the state is away, want 200", status)
		}
		ready, _ := h.get("/readyz")
		return n > 20 && ready == http.StatusServiceUnavailable
	})
	if !h.insist(t.Context(), orders("eve")...) {
		t.Fatal("the order was not taken")
	}
	if status := unsubscribe(t, catcher, "ada@"); status != http.StatusOK {
		t.Errorf("an unsubscribe while the state is away was answered %d, want 200", status)
	}
	if n := catcher.Count(); n != 1 {
		t.Errorf("%d mails, want 1: nothing may leave that is not committed", n)
	}
	p.stop()
	p = h.start(options{})
	until(t, "eve has her mail", func() bool { return catcher.Count() == 2 })
	if states := h.settled(p, catcher); states["accepted"] != 2 {
		t.Errorf("deliveries are %v, want 2 accepted", states)
	}
	h.holds(acked)
}
