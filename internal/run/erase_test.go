package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/demo"
	"rapport/internal/erase"
	"rapport/internal/eventlog/natslog"
	"rapport/internal/intake"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/store/sqlite"
)

// disk is a node on a data directory that can be closed, copied and opened again.
type disk struct {
	t     *testing.T
	dir   string
	clock *clock.Clock
	node  *run.Node
	close func()
}

func openDisk(t *testing.T, dir string) *disk {
	t.Helper()
	d := &disk{t: t, dir: dir, clock: clock.Virtual(demo.GoLive)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	log, err := natslog.Open(t.Context(), natslog.Options{Dir: filepath.Join(dir, "log"), Lanes: 1, Now: d.clock.Now})
	must(err)
	state, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir})
	must(err)
	ledger, err := sqlite.OpenLedger(t.Context(), sqlite.Options{Dir: dir})
	must(err)
	list, err := erase.Open(filepath.Join(dir, erase.File))
	must(err)
	signer, err := site.NewSigner(baseURL, "default", site.Key{ID: 1, Secret: [32]byte{1}})
	must(err)
	d.node, err = run.Open(t.Context(), run.Options{Log: log, Store: state, Ledger: ledger, Workspace: "default", Key: identity.Key{7}, Clock: d.clock, Links: signer, Erasures: list, NoSending: true})
	must(err)
	if d.node.Engine.Program() == nil {
		src, err := program.Read(os.DirFS("../../examples/shop"))
		must(err)
		_, err = d.node.Apply(t.Context(), src)
		must(err)
	}
	must(d.node.Settle(t.Context()))
	closed := false
	d.close = func() {
		if !closed {
			closed = true
			for _, c := range []func() error{list.Close, ledger.Close, state.Close, log.Close} {
				must(c())
			}
		}
	}
	t.Cleanup(d.close)
	return d
}

// canary stands in every field in which something about ada can stand.
const canary = "zanzibar7"

// canaries are the words that must be gone with her.
var canaries = []string{canary, "ada-" + canary, "+4479460" + "00001"}

// hear lets something happen to a person, and everything that follows.
func (d *disk) hear(e event.Event) {
	d.t.Helper()
	d.clock.Set(d.clock.Now() + 1000)
	if e.Type == 0 {
		e.Type = event.Track
	}
	if e.At == 0 {
		e.At, e.Raw = d.clock.Now(), d.clock.Now()
	}
	if err := d.node.Hear(d.t.Context(), []event.Event{e}); err != nil {
		d.t.Fatal(err)
	}
	if err := d.node.Settle(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

func object(pairs ...string) event.Object {
	var b event.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.SetText(pairs[i], pairs[i+1])
	}
	return b.Object()
}

// live gives ada and bob a life of which everything of ada's holds the canary.
func (d *disk) live() {
	ada, bob := "ada-"+canary, "bob-the-other"
	d.hear(event.Event{
		ID: canary + "-1", Name: "Signed Up", User: ada, Anon: "device-" + canary, Trust: event.Server, Source: canary,
		Traits:  object("email", ada+"@shop.example", "phone", canaries[2], "first_name", canary, "loyalty_id", "card-"+canary),
		Props:   object("form", canary),
		Context: object("locale", "en", "userAgent", canary),
	})
	d.hear(event.Event{ID: "b1", Name: "Signed Up", User: bob, Trust: event.Server, Traits: object("email", "bob@shop.example", "first_name", "Robert-the-other")})
	for _, who := range []string{ada, bob} {
		d.hear(event.Event{ID: event.ID("c-" + who), Name: event.ConsentChanged, User: who, Trust: event.Server, Props: object("channel", "email", "purpose", "marketing", "state", "granted", "evidence", "form of "+who, "wording", who)})
		for i := range 3 {
			d.hear(event.Event{ID: event.ID("v" + string(rune('0'+i)) + who), Name: "Product Viewed", User: who, Trust: event.Server, Props: object("sku", "LAMP-"+who, "category", "lighting", "search", who)})
		}
		line := event.ListOf(event.Nested(object("sku", "SKU-"+who, "name", "A thing of "+who, "price", "10", "quantity", "1")))
		props := object("order_id", "order-"+who, "currency", "GBP", "total", "10").With("products", line)
		d.hear(event.Event{ID: event.ID("o-" + who), Name: event.OrderCompleted, User: who, Trust: event.Server, Props: props})
	}
}

// scan looks for words in every byte of the directory and in every unpacked block.
func (d *disk) scan(words ...string) []erase.Found {
	d.t.Helper()
	found, err := erase.Scan(d.t.Context(), d.dir, words, d.node.Everything)
	if err != nil {
		d.t.Fatal(err)
	}
	return found
}

func (d *disk) ada() identity.ID {
	d.t.Helper()
	p, err := d.node.Lookup(d.t.Context(), "ada-"+canary)
	if err != nil {
		d.t.Fatal(err)
	}
	return p.ID
}

func (d *disk) wantNobody(when string) {
	d.t.Helper()
	if found := d.scan(canaries...); len(found) > 0 {
		d.t.Errorf("%s:\n%s", when, erase.Say(found))
	}
	if p, err := d.node.Lookup(d.t.Context(), "ada-"+canary); err == nil {
		d.t.Errorf("%s: she is known as %s", when, p.ID)
	}
}

// Item 64, and promise P7.
func TestItem64AnErasedPersonIsInNoByteAndStaysAway(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	root := t.TempDir()
	dir, backup := filepath.Join(root, "data"), filepath.Join(root, "backup")
	d := openDisk(t, dir)
	d.live()
	// What is put aside without an address names her too.
	if err := d.node.Quarantine(ctx, rejects(`{"type":"track","userId":"ada-`+canary+`","properties":{"x":"`+canary+`"}}`, "nobody in particular")); err != nil {
		t.Fatal(err)
	}
	if err := d.node.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	// The control: a scan that finds nothing before proves nothing after.
	places := erase.Say(d.scan(canaries...))
	for _, must := range []string{"state.db", "log/", "the history", "the feed", "the table profiles", "the table deliveries", "the table quarantine"} {
		if !strings.Contains(places, must) {
			t.Errorf("before the erasure the scan does not find her in %s:\n%s", must, places)
		}
	}
	d.close()
	if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}

	d = openDisk(t, dir)
	if _, err := d.node.Erase(ctx, d.ada()); err != nil {
		t.Fatal(err)
	}
	if err := d.node.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	d.wantNobody("after the erasure")
	if found := d.scan("bob-the-other", "Robert-the-other"); len(found) == 0 {
		t.Error("the others are gone too")
	}
	bob, err := d.node.Lookup(ctx, "bob@shop.example")
	if err != nil || len(bob.Orders) != 1 {
		t.Errorf("bob is %+v, %v", bob, err)
	}

	// A late event with the same e-mail, by whichever way, is dropped and counted.
	late := d.node.Late()
	for i, e := range []event.Event{
		{Name: "Visited", Trust: event.Server, Traits: object("email", "ada-"+canary+"@shop.example")},
		{Name: "Visited", Trust: event.Public, Anon: "device-" + canary},
		{Name: "Visited", Trust: event.Server, User: "another-id", Traits: object("email", "Ada-"+canary+"@shop.example")},
		{Name: event.OrderCompleted, Trust: event.Server, Origin: event.Import, Props: object("order_id", "o9", "total", "1", "currency", "GBP", "email", "ada-"+canary+"@shop.example")},
	} {
		e.Type, e.ID = event.Track, event.ID("late"+string(rune('0'+i)))
		if !d.node.Erased(&e) {
			t.Errorf("event %d is not known to be of somebody erased", i)
		}
		d.hear(e)
	}
	if got := d.node.Late() - late; got != 4 {
		t.Errorf("%d late events were counted, want 4", got)
	}
	d.wantNobody("after late events")
	d.close()

	// Last week's backup comes back; the list of erasures is today's.
	list, err := os.ReadFile(filepath.Join(dir, erase.File))
	if err != nil || strings.Contains(string(list), canary) {
		t.Fatalf("the list of erasures names her: %v", err)
	}
	if err := os.WriteFile(filepath.Join(backup, erase.File), list, 0o600); err != nil {
		t.Fatal(err)
	}
	d = openDisk(t, backup)
	if found := d.scan(canaries...); len(found) == 0 {
		t.Fatal("the backup does not hold her: the test can tell nothing")
	}
	again, err := d.node.Reerase(ctx)
	if err != nil || again != 1 {
		t.Fatalf("%d people were erased again, %v; want one", again, err)
	}
	if err := d.node.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	d.wantNobody("after the restore")
	if again, err := d.node.Reerase(ctx); err != nil || again != 0 {
		t.Errorf("a second look erases %d people again, %v", again, err)
	}
}

func rejects(bodies ...string) []intake.Reject {
	var list []intake.Reject
	for _, b := range bodies {
		list = append(list, intake.Reject{Reason: "it has no name", Field: "event", Raw: []byte(b)})
	}
	return list
}
