package imports_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/fault"
	"rapport/internal/imports"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/sources/csv"
	"rapport/internal/sources/people"
	"rapport/internal/sources/table"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// shop is a node that hears imports, and its book.
type shop struct {
	t      *testing.T
	clock  *clock.Clock
	store  store.Store
	ledger store.Ledger
	node   *run.Node
	book   *imports.Book
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))), store: memory.New(), ledger: memory.NewLedger()}
	var err error
	s.node, err = run.Open(t.Context(), run.Options{
		Log: memlog.New(1, s.clock.Now), Store: s.store, Ledger: s.ledger, Workspace: "default", Key: identity.Key{3}, Clock: s.clock, NoSending: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.node.Apply(t.Context(), program.Default()); err != nil {
		t.Fatal(err)
	}
	s.book = imports.Open(t.TempDir(), s.clock.Now)
	s.settle()
	return s
}

func (s *shop) settle() {
	s.t.Helper()
	if err := s.node.Settle(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// bring imports a file and returns the import's id.
func (s *shop) bring(kind people.Kind, file string, change ...func(*people.Options)) string {
	s.t.Helper()
	s.clock.Set(s.clock.Now().Add(time.Minute))
	i, err := imports.Begin(s.book, s.node, s.ledger, imports.Plan{Kind: string(kind), Source: "shop", File: "file.csv", By: "ada"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer i.Close()
	o := people.Options{Kind: kind, Refuse: func(r table.Refusal) error { return &r }}
	for _, c := range change {
		c(&o)
	}
	if _, err := i.People(s.t.Context(), strings.NewReader(file), o); err != nil {
		s.t.Fatal(err)
	}
	s.settle()
	return i.ID
}

func (s *shop) reach() *imports.Reach {
	s.t.Helper()
	r, err := imports.Measure(s.t.Context(), s.store, s.ledger, s.node, "email", "marketing", s.clock.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// sendable reports whether a marketing mail to the address would leave, as dispatch
// asks: the consent of whoever has it, and the ledger.
func (s *shop) sendable(address string) bool {
	s.t.Helper()
	p, err := s.node.Lookup(s.t.Context(), address)
	if fault.Is(err, fault.NotFound) {
		return false
	}
	if err != nil {
		s.t.Fatal(err)
	}
	_, stopped, err := s.ledger.Suppressed(s.t.Context(), s.node.Subject("email", p.Address("email")), "email", "marketing")
	if err != nil {
		s.t.Fatal(err)
	}
	return !stopped && p.Reachable("email") && p.Allows("email", "marketing", s.clock.Now())
}

// TestNoOrderOfImportsMakesASuppressedAddressSendable imports files of suppressions,
// consents, customers, lists and vendors' exports in random orders, some of them twice.
// Whoever any file says must not be written to is not, but for those whose own newer
// consent the file calls explicit and who had only unsubscribed before it.
func TestNoOrderOfImportsMakesASuppressedAddressSendable(t *testing.T) {
	t.Parallel()
	const crowd = 24
	for seed := range uint64(30) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 2))
			s := newShop(t)
			address := func(i int) string { // spelt as people spell it
				a := fmt.Sprintf("person%d@shop.example", i)
				if r.IntN(3) == 0 {
					a = " " + strings.ToUpper(a)
				}
				return a
			}
			day := func() string { return time.Date(2020, 1, 1+r.IntN(2000), 0, 0, 0, 0, time.UTC).Format("2006-01-02") }
			left, barred, back := map[int]string{}, map[int]bool{}, map[int]string{}
			var files []func()
			for range 3 {
				sup := "email,reason,date\n"
				for range 6 {
					i, at := r.IntN(crowd), day()
					reason := []string{"unsubscribed", "unsubscribed", "hard bounce", "spam complaint", "whatever"}[r.IntN(5)]
					sup += address(i) + "," + reason + "," + at + "\n"
					if reason == "unsubscribed" {
						left[i] = max(left[i], at)
					} else {
						barred[i] = true
					}
				}
				con := "email,customer_id,state,date,evidence,explicit\n"
				for range 12 {
					i, at := r.IntN(crowd), day()
					state, explicit := []string{"granted", "granted", "granted", "withdrawn"}[r.IntN(4)], []string{"no", "no", "yes"}[r.IntN(3)]
					id := ""
					if r.IntN(2) == 0 {
						id = "c" + strconv.Itoa(i)
					}
					con += address(i) + "," + id + "," + state + "," + at + ",form," + explicit + "\n"
					switch {
					case state == "withdrawn":
						left[i] = max(left[i], at)
					case explicit == "yes":
						back[i] = max(back[i], at)
					}
				}
				cus := "email,customer_id,first_name,tags\n"
				for range 8 {
					i := r.IntN(crowd)
					cus += address(i) + ",c" + strconv.Itoa(i) + ",P,vip\n"
				}
				klaviyo := "Email,Klaviyo ID,Email Marketing Consent,Email Marketing Consent Timestamp,Email Suppressions\n"
				for range 8 {
					klaviyo += fmt.Sprintf("%s,K,SUBSCRIBED,%s 10:00:00,[]\n", address(r.IntN(crowd)), day())
				}
				files = append(files,
					func() { s.bring(people.Suppressions, sup) }, func() { s.bring(people.Consents, con) },
					func() { s.bring(people.Customers, cus) }, func() { s.bring(people.Consents, klaviyo) })
			}
			files = append(files, files[r.IntN(len(files))], files[r.IntN(len(files))])
			r.Shuffle(len(files), func(a, b int) { files[a], files[b] = files[b], files[a] })
			for _, f := range files {
				f()
			}
			can := 0
			for i := range crowd {
				if !s.sendable(fmt.Sprintf("person%d@shop.example", i)) {
					continue
				}
				can++
				if barred[i] || left[i] != "" && back[i] <= left[i] {
					t.Errorf("person %d is sendable: barred %v, left %s, back %s", i, barred[i], left[i], back[i])
				}
			}
			if can == 0 {
				t.Error("nobody is sendable: the test says nothing")
			}
		})
	}
}

func TestAnExplicitNewerConsentEndsAnUnsubscribeAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.bring(people.Suppressions, "email,reason,date\na@shop.example,unsubscribed,2024-01-01\nb@shop.example,unsubscribed,2024-01-01\nc@shop.example,spam,2024-01-01\nd@shop.example,unsubscribed,2024-01-01\ne@shop.example,unsubscribed,2024-01-01\n")
	s.bring(people.Consents, "email,state,date,evidence,explicit\na@shop.example,granted,2025-01-01,form,yes\nb@shop.example,granted,2025-01-01,form,no\nc@shop.example,granted,2025-01-01,form,yes\nd@shop.example,granted,2023-01-01,form,yes\ne@shop.example,granted,2025-01-01,,yes\n")
	for address, want := range map[string]bool{"a": true, "b": false, "c": false, "d": false, "e": false} {
		if got := s.sendable(address + "@shop.example"); got != want {
			t.Errorf("%s is sendable: %v", address, got)
		}
	}
}

// TestTheCountsBeforeAndAfterAreExplainedToTheLastCustomer: of each standing, what was
// before, what came and what went is what is after.
func TestTheCountsBeforeAndAfterAreExplainedToTheLastCustomer(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	measures := []*imports.Reach{s.reach()}
	step := func(kind people.Kind, file string) {
		s.bring(kind, file)
		measures = append(measures, s.reach())
	}
	step(people.Customers, "email,customer_id\na@shop.example,1\nb@shop.example,2\nc@shop.example,3\nd@shop.example,4\n,5\n")
	step(people.Consents, "email,state,date,source\na@shop.example,granted,2025-01-01,form\nb@shop.example,granted,2025-01-01,form\nc@shop.example,withdrawn,2025-01-01,form\nz@shop.example,granted,2025-01-01,form\n")
	step(people.Suppressions, "email,reason\nb@shop.example,spam\na@shop.example,hard bounce\nstranger@shop.example,unsubscribed\n")
	step(people.Customers, "email,customer_id\nz@shop.example,1\n") // z was somebody of their own and joins customer 1
	for i := 1; i < len(measures); i++ {
		before, after := measures[i-1], measures[i]
		counts := slices.Clone(before.Counts[:])
		for _, m := range imports.Moves(before, after) {
			counts[m.From] -= m.Count
			counts[m.To] += m.Count
		}
		counts[imports.Absent] = 0 // whoever came came from there
		if !slices.Equal(counts, after.Counts[:]) {
			t.Errorf("step %d: %v, and the moves make %v", i, after.Counts, counts)
		}
	}
	last := measures[3]
	want := map[imports.Standing]int64{imports.NoAddress: 1, imports.Bounced: 1, imports.Complained: 1, imports.Unsubscribed: 1, imports.NeverAsked: 1, imports.Reachable: 1}
	for standing, n := range want {
		if last.Counts[standing] != n {
			t.Errorf("%d are %s, want %d: %v", last.Counts[standing], standing, n, last.Counts)
		}
	}
	if last.Customers() != 6 {
		t.Errorf("%d customers", last.Customers())
	}
}

func TestUndoingSuppressionsNeedsAYesAndKeepsWhoSaidIt(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ctx := t.Context()
	consents := s.bring(people.Consents, "email,state,date,source\na@shop.example,granted,2025-01-01,form\nb@shop.example,granted,2025-01-01,form\n")
	first := s.bring(people.Suppressions, "email,reason,date\na@shop.example,spam,2025-02-01\nb@shop.example,unsubscribed,2025-02-01\n")
	s.bring(people.Suppressions, "email,reason,date\nb@shop.example,unsubscribed,2025-02-01\n")
	if _, err := imports.Undo(ctx, s.book, s.node, s.ledger, first, "bea", false); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "--yes-really") {
		t.Fatalf("undone without a word: %v", err)
	}
	if s.sendable("a@shop.example") {
		t.Fatal("a refused undoing took back a suppression")
	}
	e, err := imports.Undo(ctx, s.book, s.node, s.ledger, first, "bea", true)
	if err != nil || e.UndoneBy != "bea" || e.Retracted != 2 {
		t.Fatalf("%+v, %v", e, err)
	}
	kept, err := s.book.Entry(first)
	if err != nil || kept.State != imports.Undone || kept.UndoneBy != "bea" || kept.UndoneAt == "" {
		t.Errorf("the book says %+v, %v", kept, err)
	}
	if !s.sendable("a@shop.example") || s.sendable("b@shop.example") {
		t.Error("what the other import said of b must stand, and nothing of a")
	}
	if _, err := imports.Undo(ctx, s.book, s.node, s.ledger, first, "bea", true); !fault.Is(err, fault.Conflict) {
		t.Errorf("undone twice: %v", err)
	}
	if _, err := imports.Undo(ctx, s.book, s.node, s.ledger, consents, "bea", false); err != nil {
		t.Fatal(err)
	}
	if r := s.reach(); r.Customers() != 0 {
		t.Errorf("%v are left", r.Counts)
	}
	for _, id := range []string{"../" + first, "none"} {
		if _, err := imports.Undo(ctx, s.book, s.node, s.ledger, id, "bea", true); err == nil {
			t.Errorf("%q was undone", id)
		}
	}
}

var errKilled = errors.New("killed")

// TestAnImportThatIsKilledGoesOnAndCanBeUndone: killed at each batch, resumed, the state
// is that of an import that was not; and undone without being finished, nothing is left.
func TestAnImportThatIsKilledGoesOnAndCanBeUndone(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString("order_id,date,sku,quantity,price,customer_id,currency\n")
	for i := range 3000 {
		fmt.Fprintf(&file, "o%d,2025-01-02,S%d,1,5,c%d,GBP\n", i, i%7, i%90)
	}
	for _, finish := range []bool{true, false} {
		s := newShop(t)
		kills, id := 0, ""
		for resume := false; ; resume = true {
			i, err := imports.Begin(s.book, s.node, s.ledger, imports.Plan{Kind: "orders", Source: "shop", Resume: resume})
			if err != nil {
				t.Fatal(err)
			}
			if id != "" && i.ID != id {
				t.Fatalf("resumed %s, want %s", i.ID, id)
			}
			id = i.ID
			batches := 0
			_, err = i.Orders(t.Context(), strings.NewReader(file.String()), csv.Options{Progress: func(csv.Progress) error {
				if batches++; batches > kills && kills < 4 {
					return errKilled
				}
				return nil
			}})
			if err := i.Close(); err != nil {
				t.Fatal(err)
			}
			if err == nil {
				break
			}
			if !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			if kills++; !finish && kills == 3 {
				break
			}
		}
		s.settle()
		orders := 0
		for i := range 90 {
			p, err := s.node.Lookup(t.Context(), "c"+strconv.Itoa(i))
			if err != nil {
				t.Fatal(err)
			}
			orders += len(p.Orders)
		}
		if finish && orders != 3000 || !finish && (orders == 0 || orders == 3000) {
			t.Errorf("%d orders", orders)
		}
		if _, err := imports.Undo(t.Context(), s.book, s.node, s.ledger, id, "bea", false); err != nil {
			t.Fatal(err)
		}
		if r := s.reach(); r.Customers() != 0 {
			t.Errorf("%d customers are left", r.Customers())
		}
		if list, err := s.book.List(); err != nil || len(list) != 1 {
			t.Errorf("%v, %v", list, err)
		}
	}
}

func TestSuppressionsAreDurableBeforeTheImportSaysSo(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	broken := &brokenLedger{Ledger: s.ledger}
	i, err := imports.Begin(s.book, s.node, broken, imports.Plan{Kind: "suppressions", Source: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	_, err = i.People(t.Context(), strings.NewReader("email\na@shop.example\nb@shop.example\n"), people.Options{Kind: people.Suppressions, Progress: func(people.Progress) error {
		t.Error("progress was told of what is not durable")
		return nil
	}})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("the import says %v", err)
	}
}

// brokenLedger cannot write.
type brokenLedger struct{ store.Ledger }

func (b *brokenLedger) Suppress(context.Context, store.Suppression) error {
	return fault.New(fault.Unavailable, "the disk is full")
}

func TestAnImportWhoseHeaderCannotBeReadHasFailed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	i, err := imports.Begin(s.book, s.node, s.ledger, imports.Plan{Kind: string(people.Consents), Source: "shop", File: "file.csv", By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.People(t.Context(), strings.NewReader("colour,size\nred,4\n"), people.Options{Kind: people.Consents}); err == nil {
		t.Fatal("a file without an address is taken")
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err := s.book.Entry(i.ID); err != nil || e.State != imports.Failed || e.Ended == "" {
		t.Errorf("the import is %+v, %v", e, err)
	}
	if _, err := imports.Begin(s.book, s.node, s.ledger, imports.Plan{Kind: string(people.Consents), Source: "shop", Resume: true}); !fault.Is(err, fault.NotFound) {
		t.Errorf("it can be resumed: %v", err)
	}
}
