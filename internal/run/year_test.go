package run_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	_ "time/tzdata"

	"rapport/internal/channels"
	"rapport/internal/channels/email"
	"rapport/internal/clock"
	"rapport/internal/core/identity"
	"rapport/internal/demo"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/intake"
	"rapport/internal/keys"
	"rapport/internal/mailcatcher"
	"rapport/internal/program"
	"rapport/internal/report"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/store/memory"
)

func TestYear(t *testing.T) {
	ctx := context.Background()
	ck := clock.Virtual(demo.GoLive - 1)
	log := memlog.New(1, ck.Now)
	st := memory.New()
	bounces := demo.Bounces(1)
	cat, err := mailcatcher.New(mailcatcher.Options{Reject: func(r string) *mailcatcher.Reply {
		if bounces(r) {
			return &mailcatcher.Reply{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "no such mailbox (invented)"}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := cat.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ch, err := email.New(email.Options{Addr: cat.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	key := identity.Key{1}
	signer, err := site.NewSigner(srv.URL, "default", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	n, err := run.Open(ctx, run.Options{Log: log, Store: st, Ledger: memory.NewLedger(), Channels: map[string]channels.Channel{"email": ch}, Workspace: "default", Key: key, Clock: ck, Links: signer})
	if err != nil {
		t.Fatal(err)
	}
	src, err := program.Read(os.DirFS("../../examples/shop"))
	if err != nil {
		t.Fatal(err)
	}
	ps, err := n.Apply(ctx, src)
	for _, p := range ps {
		t.Log(p.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ring, fresh, err := keys.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	secret := ""
	for _, k := range fresh {
		if k.Kind == keys.Secret {
			secret = k.Text
		}
	}
	tr := intake.New(intake.Options{Keys: ring, Append: n.Take, Quarantine: n.Quarantine, Now: ck.Now, Workspace: key})
	for _, p := range intake.Patterns() {
		mux.Handle(p, tr)
	}
	pub, err := site.New(site.Options{Signer: signer, Suppressor: n.Public(), Hearer: n.Public(), Preferences: n.Public(), Now: ck.Now, Hold: -1})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/", pub)
	start := time.Now()
	y := &demo.Year{Node: n, Clock: ck, URL: srv.URL, Secret: secret, Seed: 1, Catcher: cat}
	steps := 0
	y.Progress = func(p demo.Progress) {
		if steps++; steps%500 == 0 {
			t.Log(p.Now, p.Messages, cat.Count(), time.Since(start))
		}
	}
	if err := y.Run(ctx); err != nil {
		t.Fatal(err)
	}
	t.Log(steps, "steps", time.Since(start), cat.Stats())
	l := report.New(st, 1)
	if err := l.Load(ctx); err != nil {
		t.Fatal(err)
	}
	h := l.Heard()
	t.Log(fmt.Sprintf("%+v %s %s", h, h.Orders.Sum, h.Clean.Sum))
	d, err := report.CountDeliveries(ctx, st)
	t.Log(fmt.Sprintf("%+v %v", d, err), l.Receipts(), y.Digest())
	sc, _ := st.SegmentCounts(ctx)
	p, _ := n.Program(ctx)
	for _, name := range p.Core.Segments.Names() {
		t.Log(name, sc[segKey(name)])
	}
}
