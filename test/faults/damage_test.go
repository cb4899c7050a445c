package faults_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog/natslog"
)

// change runs a statement on the state of a stopped server, and says how many
// rows it changed.
func (h *home) change(query string, args ...any) {
	h.t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(h.dir, "state.db"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	r, err := db.ExecContext(h.t.Context(), query, args...)
	if err != nil {
		h.t.Fatalf("%s: %v", query, err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		h.t.Fatalf("%s changed %d rows, %v; want 1", query, n, err)
	}
}

// idOf returns the profile id of a user.
func (h *home) idOf(user string) identity.ID {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.dir, "workspace.key"))
	if err != nil || len(b) != 32 {
		h.t.Fatalf("the workspace key is %d bytes, %v", len(b), err)
	}
	id, _ := identity.Normal(identity.User, user)
	return identity.Key(b).Home(id)
}

// aside counts what was put aside by kind.
func (h *home) aside() map[string]int {
	h.t.Helper()
	kinds := map[string]int{}
	for _, q := range h.dump("quarantine") {
		kinds[q.Kind]++
	}
	return kinds
}

func TestItem28ADamagedCustomerIsPutAsideAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	h, catcher := newShop(t)
	p := h.start(options{})
	for _, user := range []string{"ada", "eve"} {
		if !h.insist(t.Context(), append(orders(user), view("v-"+user, user))...) {
			t.Fatal("the order was not taken")
		}
	}
	until(t, "both have their mail", func() bool { return catcher.Count() == 2 })
	p.stop()
	ada := h.idOf("ada")
	// An alarm that is due makes the lane read the row as soon as it starts.
	h.change("UPDATE profiles SET body = x'00ff00ff00', alarm = 1 WHERE id = ?", ada[:])
	p = h.start(options{})
	for _, user := range []string{"ada", "eve"} {
		if !h.insist(t.Context(), message{
			"type": "track", "event": "Order Completed", "userId": user, "messageId": "o2-" + user,
			"properties": map[string]any{"order_id": "second-" + user, "total": 1, "currency": "EUR"},
		}) {
			t.Fatal("the order was not taken")
		}
	}
	until(t, "eve has her second mail", func() bool { return catcher.Count() == 3 })
	if status := unsubscribe(t, catcher, "ada@"); status != http.StatusOK {
		t.Errorf("an unsubscribe of a customer whose row is damaged was answered %d, want 200", status)
	}
	if status, _ := h.get("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz says %d, want 200", status)
	}
	p.stop()
	if kinds := h.aside(); kinds["damaged"] != 3 { // the row, the order, the unsubscribe
		t.Errorf("put aside are %v, want 3 damaged: the row and what came for it", kinds)
	}
	if !strings.Contains(h.said(), "damaged") {
		t.Error("the log of the server does not say that a row is damaged")
	}
	// The alarm is off: the next start has nothing to put aside again.
	p = h.start(options{})
	time.Sleep(200 * time.Millisecond)
	p.stop()
	if kinds := h.aside(); kinds["damaged"] != 3 {
		t.Errorf("after another start put aside are %v, want no more than before", kinds)
	}
}

func TestItem28ADeliveryThatNobodyKnowsOfIsPutAside(t *testing.T) {
	t.Parallel()
	h, catcher := newShop(t)
	p := h.start(options{})
	if !h.insist(t.Context(), orders("ada")...) {
		t.Fatal("the order was not taken")
	}
	until(t, "ada has her mail", func() bool { return catcher.Count() == 1 })
	p.stop()
	ada, nobody := h.idOf("ada"), identity.ID{0x77}
	insert := `INSERT INTO deliveries (id, profile, state, channel, journey, because, priority, planned, not_before, deadline, fence, changed, outcome, body)
		VALUES (?, ?, ?, 'email', 'hello', '', 0, 1, 1, ?, 1, 1, '', ?)`
	planned := profile.Delivery{ID: profile.DeliveryID{1}, State: profile.Planned, Channel: "email", Expires: event.Never}
	claimed := profile.Delivery{ID: profile.DeliveryID{2}, State: profile.Claimed, Channel: "email", Expires: event.Never, Fence: 1}
	h.change(insert, planned.ID[:], ada[:], 1, nil, profile.AppendDelivery(nil, &planned))
	h.change(insert, claimed.ID[:], nobody[:], 2, 1, profile.AppendDelivery(nil, &claimed))
	damaged := profile.DeliveryID{3}
	h.change(insert, damaged[:], ada[:], 1, nil, []byte("garbage"))
	unknown := profile.DeliveryID{4}
	h.change(insert, unknown[:], ada[:], 42, nil, []byte("a state from the future"))
	p = h.start(options{})
	if !h.insist(t.Context(), orders("eve")...) {
		t.Fatal("the order was not taken")
	}
	until(t, "eve has her mail", func() bool { return catcher.Count() == 2 })
	time.Sleep(500 * time.Millisecond)
	p.stop()
	if kinds := h.aside(); kinds["orphan"] != 3 {
		t.Errorf("put aside are %v, want 3 orphans", kinds)
	}
	if n := catcher.Count(); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
	h.change("DELETE FROM deliveries WHERE id = ?", unknown[:]) // what nobody can read nobody can list
	states := map[string]int{}
	for _, d := range h.dump("deliveries") {
		states[d.State+" "+d.Reason]++
	}
	if states["accepted "] != 2 || states["dropped orphan"] != 3 {
		t.Errorf("deliveries are %v, want 2 accepted and 3 dropped", states)
	}
}

func TestItem28ADamagedHistoryHoldsBackOneCustomerAtAChangeOfDefinitions(t *testing.T) {
	t.Parallel()
	h, catcher := newShop(t)
	p := h.start(options{})
	for _, user := range []string{"ada", "eve"} {
		if !h.insist(t.Context(), orders(user)...) {
			t.Fatal("the order was not taken")
		}
	}
	until(t, "both have their mail", func() bool { return catcher.Count() == 2 })
	p.stop()
	ada := h.idOf("ada")
	h.change("UPDATE history SET body = x'00ff00ff00' WHERE number = (SELECT min(number) FROM history WHERE strand = ?)", ada[:])
	// The new segment asks of every customer what they did before it was written.
	question := "segment: buyers\nlabel: Buyers\nwhen: {did: Order Completed, where: {products.sku: s1}, times: \">= 1\"}\n"
	if err := os.WriteFile(filepath.Join(h.args[1], "segments", "buyers.yaml"), []byte(question), 0o600); err != nil {
		t.Fatal(err)
	}
	h.start(options{})
	eve := h.idOf("eve").String()
	until(t, "eve is among the buyers", func() bool { _, page := h.get("/segments/buyers"); return strings.Contains(page, eve) })
	for _, user := range []string{"ada", "eve"} {
		if !h.insist(t.Context(), message{
			"type": "track", "event": "Order Completed", "userId": user, "messageId": "o2-" + user,
			"properties": map[string]any{"order_id": "second-" + user, "total": 1, "currency": "EUR"},
		}) {
			t.Fatal("the order was not taken")
		}
	}
	until(t, "eve has her second mail", func() bool { return catcher.Count() == 3 })
	if status, _ := h.get("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz says %d, want 200", status)
	}
	if !strings.Contains(h.said(), ada.String()) || strings.Contains(h.said(), "goes back to its last commit") {
		t.Errorf("the server does not say whose history is damaged, or tried for ever:\n%s", h.said())
	}
}

func TestItem28GarbageInPlaceOfTheKeysIsSaidAtTheStart(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"keys.json", "workspace.key"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.start(options{}).stop()
			if err := os.WriteFile(filepath.Join(h.dir, name), []byte("\x00garbage"), 0o600); err != nil {
				t.Fatal(err)
			}
			h.mu.Lock()
			h.lines = nil // said by the first start
			h.mu.Unlock()
			p := h.launch(options{})
			select {
			case <-p.done:
			case <-time.After(patience):
				t.Fatal("the server runs on garbage")
			}
			until(t, "it says why", func() bool { return strings.Contains(h.said(), "rapport: ") })
			said := h.said()
			if p.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said, name) && !strings.Contains(said, "keys") {
				t.Errorf("exit code %d, and it said %q; want 1 and the file's name", p.cmd.ProcessState.ExitCode(), said)
			}
			if strings.Contains(said, "goroutine") {
				t.Errorf("it panicked: %s", said)
			}
		})
	}
}

func TestItem28ADamagedRecordOfTheLogStopsTheLaneAndSaysWhich(t *testing.T) {
	t.Parallel()
	h, _ := newShop(t)
	p := h.start(options{})
	if !h.insist(t.Context(), orders("ada")...) {
		t.Fatal("the order was not taken")
	}
	p.stop()
	// A record whose checksum holds and whose bytes nobody wrote: a mistake of
	// ours, or of somebody else who writes into the log.
	l, err := natslog.Open(t.Context(), natslog.Options{Dir: filepath.Join(h.dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Append(t.Context(), 0, []byte("\x05hello, this is no entry"))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	h.launch(options{})
	want := fmt.Sprintf("record %d", r.Seq)
	until(t, "the server says which record is damaged", func() bool { return strings.Contains(h.said(), want) })
	until(t, "the server is up and says that it is not ready", func() bool {
		status, _ := h.get("/readyz")
		return status == http.StatusServiceUnavailable
	})
	if status := h.post(t.Context(), view("x", "ada")); status < 500 {
		t.Errorf("an event was answered %d while nothing is applied any more, want an error on our side", status)
	}
}
