package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// OpenLedger opens an empty ledger, as [Open] opens a store.
type OpenLedger func(t *testing.T) (l store.Ledger, reopen func() store.Ledger)

// RunLedger runs the suite of the ledger.
func RunLedger(t *testing.T, open OpenLedger) {
	tests := []struct {
		name string
		run  func(t *testing.T, open OpenLedger)
	}{
		{"what is begun once is Again afterwards", begunOnce},
		{"a delivery twice in one batch is begun once", twiceInABatch},
		{"what was begun was begun under its fence, and not under a later one", begunUnder},
		{"of deliveries with one Only the first is begun, and stays the one", onlyOne},
		{"a service message may go again", resend},
		{"a suppressed subject is stopped, and what is stopped was not begun", stopped},
		{"any subject of a delivery stops it", anySubject},
		{"a suppression covers its channel and purpose and no more", covers},
		{"what was begun is Again although it is suppressed since", againThoughSuppressed},
		{"a resend is stopped by a suppression", resendStopped},
		{"suppressing twice is once", suppressTwice},
		{"a suppression comes back whole, the oldest of several", suppressionWhole},
		{"a release takes back an unsubscribe", release},
		{"a release does not lift bounces, complaints and erasure", releaseKeeps},
		{"a release is exact", releaseExact},
		{"a release leaves what was said after it", releaseUntil},
		{"a retraction takes back what one said and nobody else", retract},
		{"suppressions are counted by reason", suppressions},
		{"a begun delivery is unfinished until it is finished", unfinished},
		{"a receipt waits with its delivery", notes},
		{"a start comes back whole", startWhole},
		{"the ledger forgets the starts of a person and goes on refusing them", ledgerForgets},
		{"the ledger is there after a reopening", ledgerDurable},
		{"an ended context changes nothing", ledgerEnded},
		{"after Close every call is Unavailable", ledgerClosed},
		{"no delivery is begun after its suppression was answered", linear},
		{"of many that begin one delivery exactly one may go ahead", race},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open)
		})
	}
}

func openedLedger(t *testing.T, open OpenLedger) store.Ledger {
	t.Helper()
	l, _ := open(t)
	t.Cleanup(func() { mustClose(t, l) })
	return l
}

func subject(n int) [16]byte { return person(n) }

func starting(n int) store.Start {
	return store.Start{ID: parcel(n), Profile: person(n), Subjects: [][16]byte{subject(n)}, Channel: "email", Purpose: "news", At: event.Time(n)}
}

func wantStart(t *testing.T, l store.Ledger, s store.Start, want store.StartAnswer) {
	t.Helper()
	got, err := l.Start(t.Context(), []store.Start{s})
	equal(t, "answer", must(t, got, err), []store.StartAnswer{want})
}

func suppress(t *testing.T, l store.Ledger, s store.Suppression) {
	t.Helper()
	if err := l.Suppress(t.Context(), s); err != nil {
		t.Fatalf("Suppress = %v", err)
	}
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func begunOnce(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	got, err := l.Start(t.Context(), []store.Start{starting(1), starting(2)})
	equal(t, "answers", must(t, got, err), []store.StartAnswer{store.Go, store.Go})
	got, err = l.Start(t.Context(), []store.Start{starting(2), starting(3), starting(1)})
	equal(t, "answers", must(t, got, err), []store.StartAnswer{store.Again, store.Go, store.Again})
	done(t, l.Finish(t.Context(), parcels(1)))
	wantStart(t, l, starting(1), store.Again)
	got, err = l.Start(t.Context(), nil)
	equal(t, "answers to nothing", must(t, got, err), []store.StartAnswer{})
}

func begunUnder(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	s := starting(1)
	s.Fence = 7
	wantStart(t, l, s, store.Go)
	done(t, l.Finish(t.Context(), parcels(1))) // whatever became of it
	for _, test := range []struct {
		parcel int
		fence  uint64
		want   bool
	}{{1, 6, true}, {1, 7, true}, {1, 8, false}, {2, 0, false}} {
		got, err := l.Begun(t.Context(), parcel(test.parcel), test.fence)
		equal(t, "begun", must(t, got, err), test.want)
	}
}

func twiceInABatch(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	got, err := l.Start(t.Context(), []store.Start{starting(1), starting(1)})
	equal(t, "answers", must(t, got, err), []store.StartAnswer{store.Go, store.Again})
}

func resend(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	again := starting(1)
	again.Resend, again.Fence, again.At = true, 5, 30
	wantStart(t, l, starting(1), store.Go)
	wantStart(t, l, again, store.Go)
	got, err := l.Unfinished(t.Context(), event.Never, 10)
	equal(t, "unfinished", must(t, got, err), []store.Start{again})
	wantStart(t, l, starting(1), store.Again)
	done(t, l.Finish(t.Context(), parcels(1)))
	wantStart(t, l, again, store.Go)
	got, err = l.Unfinished(t.Context(), event.Never, 10)
	equal(t, "unfinished after it went again", must(t, got, err), []store.Start{again})
}

func stopped(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	suppress(t, l, store.Suppression{Subject: subject(1), Channel: "email", Reason: store.Unsubscribed})
	got, err := l.Start(t.Context(), []store.Start{starting(1), starting(2)})
	equal(t, "answers", must(t, got, err), []store.StartAnswer{store.Stop, store.Go})
	open1, err := l.Unfinished(t.Context(), event.Never, 10)
	equal(t, "unfinished", must(t, open1, err), []store.Start{starting(2)})
	done(t, l.Release(t.Context(), subject(1), "email", "", event.Never))
	wantStart(t, l, starting(1), store.Go)
}

func anySubject(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	suppress(t, l, store.Suppression{Subject: subject(9), Channel: "email", Reason: store.Bounced})
	s := starting(1)
	s.Subjects = [][16]byte{subject(1), subject(9)}
	wantStart(t, l, s, store.Stop)
	s.Subjects = [][16]byte{subject(9), subject(1)}
	wantStart(t, l, s, store.Stop)
	s.Subjects = nil
	for n := range 20 { // known by many ids, the last of which is suppressed
		s.Subjects = append(s.Subjects, subject(100+n))
	}
	s.Subjects = append(s.Subjects, subject(9))
	wantStart(t, l, s, store.Stop)
	s.Subjects = s.Subjects[:20]
	wantStart(t, l, s, store.Go)
	s.ID, s.Subjects = parcel(2), [][16]byte{subject(1), subject(2)}
	wantStart(t, l, s, store.Go)
}

func covers(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	suppress(t, l, store.Suppression{Subject: subject(1), Channel: "email", Purpose: "news", Reason: store.Unsubscribed})
	suppress(t, l, store.Suppression{Subject: subject(2), Channel: "email", Reason: store.Unsubscribed})
	suppress(t, l, store.Suppression{Subject: subject(3), Reason: store.Erased})
	suppress(t, l, store.Suppression{Subject: subject(4), Purpose: "news", Reason: store.Unsubscribed})
	n := 100
	var questions []store.Question
	var want []*store.Suppression
	for _, test := range []struct {
		who              int
		channel, purpose string
		want             bool
	}{
		{1, "email", "news", true},
		{1, "email", "receipts", false},
		{1, "sms", "news", false},
		{1, "email", "", false},
		{2, "email", "news", true},
		{2, "email", "", true},
		{2, "sms", "news", false},
		{3, "email", "news", true},
		{3, "sms", "", true},
		{4, "email", "news", true},
		{4, "sms", "news", true},
		{4, "sms", "receipts", false},
		{5, "email", "news", false},
	} {
		s, got, err := l.Suppressed(t.Context(), subject(test.who), test.channel, test.purpose)
		must(t, s, err)
		what := fmt.Sprintf("Suppressed(%d, %q, %q)", test.who, test.channel, test.purpose)
		equal(t, what, got, test.want)
		if !got {
			equal(t, what, s, store.Suppression{})
		}
		questions = append(questions, store.Question{Subject: subject(test.who), Channel: test.channel, Purpose: test.purpose})
		if want = append(want, nil); got {
			want[len(want)-1] = &s
		}
		n++
		start := store.Start{ID: parcel(n), Subjects: [][16]byte{subject(test.who)}, Channel: test.channel, Purpose: test.purpose}
		may := store.Go
		if test.want {
			may = store.Stop
		}
		wantStart(t, l, start, may)
	}
	all, err := l.AllSuppressed(t.Context(), questions)
	equal(t, "AllSuppressed", must(t, all, err), want)
	none, err := l.AllSuppressed(t.Context(), nil)
	equal(t, "the answers to no questions", must(t, none, err), []*store.Suppression{})
}

func againThoughSuppressed(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	wantStart(t, l, starting(1), store.Go)
	suppress(t, l, store.Suppression{Subject: subject(1), Channel: "email", Reason: store.Complained})
	wantStart(t, l, starting(1), store.Again)
}

func resendStopped(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	wantStart(t, l, starting(1), store.Go)
	suppress(t, l, store.Suppression{Subject: subject(1), Channel: "email", Reason: store.Bounced})
	s := starting(1)
	s.Resend = true
	wantStart(t, l, s, store.Stop)
}

func suppressTwice(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	first := store.Suppression{Subject: subject(1), Channel: "email", Reason: store.Unsubscribed, At: 5, By: "first"}
	second := first
	second.At, second.By = 6, "second"
	suppress(t, l, first)
	suppress(t, l, second)
	got, _, err := l.Suppressed(t.Context(), subject(1), "email", "news")
	equal(t, "suppression", must(t, got, err), first)
	n, err := l.Suppressions(t.Context())
	equal(t, "counts", must(t, n, err), map[string]int64{store.Unsubscribed: 1})
	done(t, l.Release(t.Context(), subject(1), "email", "", event.Never))
	_, still, err := l.Suppressed(t.Context(), subject(1), "email", "news")
	equal(t, "suppressed after a release", must(t, still, err), false)
}

func suppressionWhole(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	older := store.Suppression{Subject: subject(1), Channel: "email", Reason: store.Bounced, At: 4, By: "d2"}
	suppress(t, l, store.Suppression{Subject: subject(1), Channel: "email", Purpose: "news", Reason: store.Unsubscribed, At: 5, By: "d1"})
	suppress(t, l, older)
	got, is, err := l.Suppressed(t.Context(), subject(1), "email", "news")
	equal(t, "suppression", must(t, got, err), older)
	equal(t, "suppressed", is, true)
	all, err := l.AllSuppressed(t.Context(), []store.Question{{Subject: subject(1), Channel: "email", Purpose: "news"}})
	equal(t, "of many", must(t, all, err), []*store.Suppression{&older})
}

func release(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	done(t, l.Release(t.Context(), subject(1), "email", "news", event.Never)) // nothing to release
	suppress(t, l, store.Suppression{Subject: subject(1), Channel: "email", Purpose: "news", Reason: store.Unsubscribed})
	wantStart(t, l, starting(1), store.Stop)
	done(t, l.Release(t.Context(), subject(1), "email", "news", event.Never))
	wantStart(t, l, starting(1), store.Go)
	suppress(t, l, store.Suppression{Subject: subject(1), Channel: "email", Purpose: "news", Reason: store.Unsubscribed, At: 9})
	got, is, err := l.Suppressed(t.Context(), subject(1), "email", "news")
	equal(t, "suppressed again", must(t, is, err), true)
	equal(t, "since", got.At, event.Time(9))
}

func releaseKeeps(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	for i, reason := range []string{store.Bounced, store.Complained, store.Erased, "a reason of tomorrow"} {
		suppress(t, l, store.Suppression{Subject: subject(i), Channel: "email", Purpose: "news", Reason: reason})
		suppress(t, l, store.Suppression{Subject: subject(i), Channel: "email", Purpose: "news", Reason: store.Unsubscribed})
		done(t, l.Release(t.Context(), subject(i), "email", "news", event.Never))
		wantStart(t, l, starting(i), store.Stop)
		got, _, err := l.Suppressed(t.Context(), subject(i), "email", "news")
		equal(t, "reason", must(t, got, err).Reason, reason)
	}
}

func releaseExact(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	suppress(t, l, store.Suppression{Subject: subject(1), Channel: "email", Reason: store.Unsubscribed})
	suppress(t, l, store.Suppression{Subject: subject(2), Channel: "email", Purpose: "news", Reason: store.Unsubscribed})
	done(t, l.Release(t.Context(), subject(1), "email", "news", event.Never))
	done(t, l.Release(t.Context(), subject(1), "sms", "", event.Never))
	done(t, l.Release(t.Context(), subject(2), "email", "", event.Never))
	done(t, l.Release(t.Context(), subject(3), "email", "", event.Never))
	wantStart(t, l, starting(1), store.Stop)
	wantStart(t, l, starting(2), store.Stop)
}

func releaseUntil(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	s := store.Suppression{Subject: subject(1), Channel: "email", Purpose: "news", Reason: store.Unsubscribed, At: 5, By: "old"}
	suppress(t, l, s)
	s.At, s.By = 9, "new"
	suppress(t, l, s)
	done(t, l.Release(t.Context(), subject(1), "email", "news", 7))
	wantStart(t, l, starting(1), store.Stop)
	got, _, err := l.Suppressed(t.Context(), subject(1), "email", "news")
	equal(t, "what is left", must(t, got, err).By, "new")
}

func retract(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	for i, by := range []string{"import/a", "import/b", "import/a"} {
		suppress(t, l, store.Suppression{Subject: subject(1 + i/2), Channel: "email", Reason: store.Bounced, At: event.Time(i), By: by})
	}
	n, err := l.Retract(t.Context(), "import/a")
	equal(t, "retracted", must(t, n, err), int64(2))
	wantStart(t, l, starting(1), store.Stop) // the other import says so too
	wantStart(t, l, starting(2), store.Go)
	n, err = l.Retract(t.Context(), "import/a")
	equal(t, "retracted again", must(t, n, err), int64(0))
}

func suppressions(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	n, err := l.Suppressions(t.Context())
	equal(t, "counts", must(t, n, err), map[string]int64{})
	for i := range 5 {
		suppress(t, l, store.Suppression{Subject: subject(i), Channel: "email", Reason: store.Bounced})
	}
	suppress(t, l, store.Suppression{Subject: subject(1), Channel: "sms", Reason: store.Unsubscribed})
	n, err = l.Suppressions(t.Context())
	equal(t, "counts", must(t, n, err), map[string]int64{store.Bounced: 5, store.Unsubscribed: 1})
	var batch []store.Start
	var questions []store.Question
	var want []bool
	var may []store.StartAnswer
	for i := range 300 { // more than anybody asks with one statement, with those who are suppressed at the end
		who := (i + 5) % 300
		batch, questions = append(batch, starting(who)), append(questions, store.Question{Subject: subject(who), Channel: "email", Purpose: "news"})
		want, may = append(want, who < 5), append(may, store.Go)
		if who < 5 {
			may[i] = store.Stop
		}
	}
	all, err := l.AllSuppressed(t.Context(), questions)
	var got []bool
	for i, s := range must(t, all, err) {
		if got = append(got, s != nil); s != nil {
			equal(t, "whose", s.Subject, questions[i].Subject)
		}
	}
	equal(t, "who of many is suppressed", got, want)
	answers, err := l.Start(t.Context(), batch)
	equal(t, "the answers to many", must(t, answers, err), may)
}

func unfinished(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	a, b, c, d := starting(3), starting(1), starting(2), starting(4)
	a.At, b.At, c.At, d.At = 10, 20, 30, 20
	got, err := l.Start(t.Context(), []store.Start{a, b, c, d})
	must(t, got, err)
	ask := func(before event.Time, limit int, want ...store.Start) {
		t.Helper()
		got, err := l.Unfinished(t.Context(), before, limit)
		equal(t, fmt.Sprint("unfinished before ", before), must(t, got, err), want)
	}
	ask(30, 10, b, a, d)
	ask(30, 2, b, a)
	ask(20, 10, a)
	ask(10, 10)
	done(t, l.Finish(t.Context(), parcels(3, 99)))
	done(t, l.Finish(t.Context(), parcels(3)))
	ask(31, 10, b, c, d)
	done(t, l.Finish(t.Context(), nil))
}

func notes(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	got, err := l.Start(t.Context(), []store.Start{starting(1), starting(2)})
	must(t, got, err)
	entry := []byte("first")
	done(t, l.Note(t.Context(), []store.Receipt{{ID: parcel(1), Entry: entry}, {ID: parcel(9), Entry: []byte("of nobody")}}))
	clear(entry)
	ask := func(want ...string) {
		t.Helper()
		open, err := l.Unfinished(t.Context(), event.Never, 10)
		var receipts []string
		for _, s := range must(t, open, err) {
			receipts = append(receipts, string(s.Receipt))
		}
		equal(t, "receipts", receipts, want)
	}
	ask("first", "")
	done(t, l.Note(t.Context(), []store.Receipt{{ID: parcel(1), Entry: []byte("second")}}))
	ask("second", "")
	// Handed over once more, what became of it is open again.
	s := starting(1)
	s.Resend, s.Receipt = true, []byte("not the caller's to set")
	wantStart(t, l, s, store.Go)
	ask("", "")
	done(t, l.Finish(t.Context(), parcels(1)))
	done(t, l.Note(t.Context(), []store.Receipt{{ID: parcel(1), Entry: []byte("too late")}}))
	ask("")
}

func startWhole(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	s := store.Start{
		ID: parcel(1), Profile: person(2), Fence: 1<<64 - 1, Subjects: [][16]byte{subject(3), subject(4)},
		Channel: "sms", Purpose: "orders", At: 9, Resend: true, Service: true,
	}
	wantStart(t, l, s, store.Go)
	bare := store.Start{ID: parcel(2)}
	wantStart(t, l, bare, store.Go)
	got, err := l.Unfinished(t.Context(), event.Never, 10)
	equal(t, "starts", must(t, got, err), []store.Start{s, bare})
}

func ledgerDurable(t *testing.T, open OpenLedger) {
	l, reopen := open(t)
	wantStart(t, l, starting(1), store.Go)
	wantStart(t, l, starting(2), store.Go)
	done(t, l.Finish(t.Context(), parcels(2)))
	suppress(t, l, store.Suppression{Subject: subject(3), Channel: "email", Reason: store.Unsubscribed})
	for range 2 {
		l = reopen()
		wantStart(t, l, starting(1), store.Again)
		wantStart(t, l, starting(3), store.Stop)
		got, err := l.Unfinished(t.Context(), event.Never, 10)
		equal(t, "unfinished", must(t, got, err), []store.Start{starting(1)})
	}
	mustClose(t, l)
}

func ledgerEnded(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	_, err := l.Start(cancelled(t), []store.Start{starting(1)})
	ended(t, err)
	ended(t, l.Suppress(cancelled(t), store.Suppression{Subject: subject(1), Channel: "email"}))
	wantStart(t, l, starting(1), store.Go)
}

func ledgerClosed(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	mustClose(t, l)
	mustClose(t, l)
	ctx := t.Context()
	_, err := l.Start(ctx, []store.Start{starting(1)})
	refused(t, err, fault.Unavailable)
	refused(t, l.Note(ctx, nil), fault.Unavailable)
	refused(t, l.Finish(ctx, parcels(1)), fault.Unavailable)
	refused(t, l.Suppress(ctx, store.Suppression{}), fault.Unavailable)
	refused(t, l.Release(ctx, subject(1), "", "", event.Never), fault.Unavailable)
	_, err = l.Unfinished(ctx, 1, 1)
	refused(t, err, fault.Unavailable)
	_, _, err = l.Suppressed(ctx, subject(1), "", "")
	refused(t, err, fault.Unavailable)
	_, err = l.AllSuppressed(ctx, []store.Question{{}})
	refused(t, err, fault.Unavailable)
	_, err = l.Suppressions(ctx)
	refused(t, err, fault.Unavailable)
}

// linear checks a history of concurrent calls: a Start that was asked after a
// Suppress had been answered never says Go. The order of the two is taken by a
// mutex-guarded note that is written after the answer and read before the
// question.
func linear(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	const subjects, senders, rounds = 40, 4, 60
	var mu sync.Mutex
	answered := map[int]bool{} // subjects whose suppression was answered
	var wg sync.WaitGroup
	wg.Go(func() {
		order := rand.New(rand.NewPCG(1, 2)).Perm(subjects)
		for _, n := range order {
			if err := l.Suppress(context.Background(), store.Suppression{Subject: subject(n), Channel: "email", Reason: store.Unsubscribed}); err != nil {
				t.Errorf("Suppress = %v", err)
				return
			}
			mu.Lock()
			answered[n] = true
			mu.Unlock()
		}
	})
	for sender := range senders {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(uint64(sender), 3))
			for round := range rounds {
				var batch []store.Start
				var late []bool
				mu.Lock()
				for i := range 5 {
					n := dice.IntN(subjects)
					s := starting(n)
					s.ID = parcel(1000*(sender*rounds+round+1) + i)
					batch, late = append(batch, s), append(late, answered[n])
				}
				mu.Unlock()
				answers, err := l.Start(context.Background(), batch)
				if err != nil {
					t.Errorf("Start = %v", err)
					return
				}
				for i, a := range answers {
					if late[i] && a == store.Go {
						t.Errorf("a delivery to %x was begun after its suppression had been answered", batch[i].Subjects[0])
					}
				}
			}
		})
	}
	wg.Wait()
	for n := range subjects {
		s := starting(n)
		s.ID = parcel(1 + n)
		wantStart(t, l, s, store.Stop)
	}
}

func race(t *testing.T, open OpenLedger) {
	l := openedLedger(t, open)
	const racers = 16
	won := make(chan profile.DeliveryID, 2*racers)
	var wg sync.WaitGroup
	for range racers {
		wg.Go(func() {
			answers, err := l.Start(context.Background(), []store.Start{starting(1), starting(2)})
			if err != nil {
				t.Errorf("Start = %v", err)
				return
			}
			for i, a := range answers {
				if a == store.Go {
					won <- parcel(i + 1)
				}
			}
		})
	}
	wg.Wait()
	close(won)
	got := map[profile.DeliveryID]int{}
	for id := range won {
		got[id]++
	}
	equal(t, "who may go ahead", got, map[profile.DeliveryID]int{parcel(1): 1, parcel(2): 1})
}
